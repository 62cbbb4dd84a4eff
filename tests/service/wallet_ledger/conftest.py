"""The wallet-ledger service on a real database, and people with money in it."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.entries import Entry, Transfer
from services.wallet_ledger.domain.transaction import Outcome, Transaction
from services.wallet_ledger.main import build
from services.wallet_ledger.queries.verification import verify_ledger
from services.wallet_ledger.settings import Settings
from services.wallet_ledger.store.outcome_source import outcome_of
from services.wallet_ledger.store.poster import Poster, PosterLimits
from shared.clock import Clock, FixedClock
from shared.ids import new_id
from shared.service import Service
from shared.verification import Report
from tests.support.identity import bearer, platform_for_tests


def settings_for(database_url: str) -> Settings:
    return Settings(env="test", database_url=database_url, home_currency="KES")


def transaction(
    *entries: Entry, key: str | None = None, fingerprint: bytes = b"\x01" * 32, scope: str = "tests", **fields: Any
) -> Transaction:
    """A transaction with a key of its own unless one is given."""
    return Transaction(
        id=fields.pop("id", None) or new_id(),
        scope=scope,
        idempotency_key=key or str(new_id()),
        fingerprint=fingerprint,
        kind=fields.pop("kind", "test"),
        entries=entries,
        **fields,
    )


def move(debit: str, credit: str, amount_minor: int, currency: str = "KES") -> Transfer:
    return Transfer(new_id(), debit, credit, amount_minor, currency)


@dataclass(frozen=True)
class Person:
    """Somebody with a home wallet."""

    id: UUID
    wallet_id: UUID
    headers: dict[str, str]

    @property
    def account(self) -> str:
        return f"wallet:{self.wallet_id}"


@dataclass
class World:
    """The running service, and ways to look at it."""

    service: Service
    client: httpx.AsyncClient
    owner: asyncpg.Connection
    tampered: bool = False

    @property
    def context(self) -> Context:
        context: Context = self.service.context
        return context

    @property
    def poster(self) -> Poster:
        return self.context.poster

    async def person(self, balance_minor: int = 0) -> Person:
        """Somebody new, with so much in the home wallet."""
        user_id = new_id()
        headers = bearer(user_id)
        answer = await self.client.get("/v1/wallets", headers=headers)
        (wallet,) = answer.json()["items"]
        person = Person(user_id, UUID(wallet["id"]), headers)
        if balance_minor:
            assert (await self.fund(person.account, balance_minor)).posted
        return person

    async def fund(self, account: str, amount_minor: int) -> Outcome:
        return await self.poster.post(transaction(move("provider:test:KES", account, amount_minor)))

    async def account(self, address: str) -> asyncpg.Record:
        """The account's row."""
        row = await self.owner.fetchrow("SELECT * FROM wallet_ledger.accounts WHERE address = $1", address)
        assert row is not None, address
        return row

    async def balance(self, address: str) -> tuple[int, int]:
        """Balance and held money."""
        row = await self.account(address)
        return row["credits_posted_minor"] - row["debits_posted_minor"], row["debits_pending_minor"]

    async def events(self, name: str) -> list[dict[str, Any]]:
        """The payloads of what the journal tells and of the outbox, of one type."""
        journal = await self.owner.fetch(
            "SELECT * FROM wallet_ledger.transactions WHERE correlation_id IS NOT NULL ORDER BY sequence"
        )
        outcomes = [outcome_of(row) for row in journal]
        rows = await self.owner.fetch(
            "SELECT (envelope -> 'data')::text AS data FROM wallet_ledger.outbox WHERE type = $1 ORDER BY id", name
        )
        return [one.data for one in outcomes if one.type == name] + [json.loads(row["data"]) for row in rows]

    async def verify(self) -> Report:
        return await verify_ledger(self.service.database)


MakePoster = Callable[..., Awaitable[Poster]]


@asynccontextmanager
async def running_world(database_url: str, owner: asyncpg.Connection, clock: Clock | None = None) -> AsyncIterator[World]:
    """The service, running; at the end the whole ledger must verify."""
    service = build(settings_for(database_url), platform_for_tests(clock))
    assert service.resources is not None
    async with service.resources():
        transport = httpx.ASGITransport(app=service.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://ledger") as client:
            world = World(service, client, owner)
            yield world
            report = await world.verify()
            assert report.sound or world.tampered, report.faults
    await service.database.dispose()


@pytest.fixture
async def world(database_url: str, owner: asyncpg.Connection) -> AsyncIterator[World]:
    """The service, running; at the end of each test the whole ledger must verify."""
    async with running_world(database_url, owner) as world:
        yield world


NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)


@pytest.fixture
async def world_at_noon(database_url: str, owner: asyncpg.Connection) -> AsyncIterator[World]:
    """The same on a day that does not end while a test counts on its date."""
    async with running_world(database_url, owner, FixedClock(NOON)) as world:
        yield world


@pytest.fixture
async def another_poster(world: World) -> AsyncIterator[MakePoster]:
    """Makes further posters on the same ledger, as other processes would have."""
    posters: list[Poster] = []

    async def make(limits: PosterLimits | None = None, clock: Clock | None = None) -> Poster:
        poster = Poster(world.service.database, clock or world.context.clock, limits=limits)
        await poster.start()
        posters.append(poster)
        return poster

    yield make
    for poster in posters:
        await poster.stop()
