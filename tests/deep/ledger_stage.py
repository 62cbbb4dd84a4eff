"""The real ledger service, twice over one database as two processes would be, for a machine that is not async itself."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import httpx

from services.wallet_ledger.commands.post_transaction import post_transaction
from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.problems import CommandContradicts
from services.wallet_ledger.main import build
from services.wallet_ledger.queries.verification import verify_ledger
from services.wallet_ledger.settings import Settings
from services.wallet_ledger.store.outcome_source import outcome_of
from shared.clock import FixedClock
from shared.contracts.wallet_ledger.transaction_commands import PostTransaction
from shared.ids import new_id
from shared.messaging.consumer import Delivery
from shared.messaging.envelope import Envelope
from tests.support.identity import bearer, platform_for_tests

T = TypeVar("T")
_JOURNAL = """
SELECT sequence, id, scope, idempotency_key, fingerprint, status, rejection_code FROM wallet_ledger.transactions
WHERE sequence > $1 ORDER BY sequence
"""
_OUTCOMES = "SELECT * FROM wallet_ledger.transactions WHERE correlation_id IS NOT NULL AND sequence > $1 ORDER BY sequence"
_OUTBOX = """
DELETE FROM wallet_ledger.outbox
RETURNING type, envelope -> 'data' ->> 'transaction_id' AS id, envelope -> 'data' ->> 'code' AS code
"""
_ACCOUNTS = """
SELECT address, credits_posted_minor - debits_posted_minor AS balance, debits_pending_minor AS held
FROM wallet_ledger.accounts WHERE address = ANY ($1)
"""
_OUTCOME_TYPES = ("wallet_ledger.transaction.posted", "wallet_ledger.transaction.rejected")


@dataclass
class Stage:
    """The running service. `operations` counts what it has been asked."""

    runner: asyncio.Runner
    clock: FixedClock
    owner: asyncpg.Connection
    contexts: list[Context]
    clients: list[httpx.AsyncClient]
    operations: int = 0
    told_to: int = 0

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Let it happen."""
        return self.runner.run(coroutine)

    async def open_wallet(self, user_id: UUID, currency: str) -> UUID:
        """A wallet of somebody in `currency`, the home one for KES."""
        client, headers = self.clients[0], bearer(user_id)
        home = (await client.get("/v1/wallets", headers=headers)).json()["items"][0]
        if currency == home["currency"]:
            return UUID(home["id"])
        key = {"Idempotency-Key": str(new_id())}
        answer = await client.post("/v1/wallets", headers=headers | key, json={"currency": currency})
        assert answer.status_code == httpx.codes.CREATED, answer.text
        return UUID(answer.json()["id"])

    async def pay(self, process: int, user_id: UUID, key: str, body: str) -> str:
        """`POST /v1/transfers`: `posted`, or the code of the problem."""
        headers = bearer(user_id) | {"Idempotency-Key": key, "Content-Type": "application/json"}
        answer = await self.clients[process].post("/v1/transfers", headers=headers, content=body)
        return "posted" if answer.status_code == httpx.codes.CREATED else str(answer.json()["code"])

    async def command(self, process: int, source: str, message: PostTransaction) -> str:
        """Have a message handled: `told` when its outcome is told in an event, `contradicts` when it is a dead letter."""
        envelope = Envelope.of(
            message,
            id=new_id(),
            source=source,
            time=datetime.now(UTC),
            aggregate_id=message.transaction_id,
            correlation_id="the machine",
        )
        arrived = Envelope.model_validate_json(envelope.to_json())
        delivery = Delivery(arrived, PostTransaction.model_validate(arrived.data))
        try:
            await post_transaction(self.contexts[process], delivery)
        except CommandContradicts:
            return "contradicts"
        return "told"

    async def last_sequence(self) -> int:
        """Where the journal ends."""
        last: int = await self.owner.fetchval("SELECT coalesce(max(sequence), 0) FROM wallet_ledger.transactions")
        return last

    async def journal_after(self, sequence: int) -> list[asyncpg.Record]:
        """What has been recorded since, in the order of the commits."""
        rows: list[asyncpg.Record] = await self.owner.fetch(_JOURNAL, sequence)
        return rows

    async def take_outcomes(self) -> list[tuple[str, str]]:
        """The outcomes that were told since the last time: transaction id, and `posted` or the code."""
        journal = await self.owner.fetch(_OUTCOMES, self.told_to)
        if journal:
            self.told_to = journal[-1]["sequence"]
        outcomes = [outcome_of(row).data for row in journal]
        again = [row for row in await self.owner.fetch(_OUTBOX) if row["type"] in _OUTCOME_TYPES]
        told = [(one["transaction_id"], one.get("code")) for one in outcomes] + [(row["id"], row["code"]) for row in again]
        return [(transaction_id, code or "posted") for transaction_id, code in told]

    async def accounts(self, addresses: list[str]) -> dict[str, tuple[int, int]]:
        """Balance and held money of each of these that is there."""
        rows = await self.owner.fetch(_ACCOUNTS, addresses)
        return {row["address"]: (row["balance"], row["held"]) for row in rows}

    def wait(self, seconds: int) -> None:
        """Let time pass for the service."""
        self.clock.advance(timedelta(seconds=seconds))

    def verify(self) -> None:
        """The whole ledger adds up."""
        report = self.run(verify_ledger(self.contexts[0].database))
        assert report.sound, report.faults


@contextmanager
def ledger_stage(database_url: str) -> Iterator[Stage]:
    """The service on `database_url`, for the block; at its end the whole ledger must verify."""
    with asyncio.Runner() as runner:
        exits = AsyncExitStack()
        try:
            stage = runner.run(_open(runner, exits, database_url))
            yield stage
            stage.verify()
        finally:
            runner.run(exits.aclose())


async def _open(runner: asyncio.Runner, exits: AsyncExitStack, database_url: str) -> Stage:
    clock = FixedClock(datetime.now(UTC))
    owner = await asyncpg.connect(database_url)
    exits.push_async_callback(owner.close)
    stage = Stage(runner, clock, owner, [], [])
    for _ in range(2):
        settings = Settings(env="test", database_url=database_url, home_currency="KES")
        service = build(settings, platform_for_tests(clock))
        exits.push_async_callback(service.database.dispose)
        assert service.resources is not None
        await exits.enter_async_context(service.resources())
        transport = httpx.ASGITransport(app=service.app)
        client = httpx.AsyncClient(transport=transport, base_url="http://ledger", timeout=60)
        stage.clients.append(await exits.enter_async_context(client))
        stage.contexts.append(service.context)
    return stage
