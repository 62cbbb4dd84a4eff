"""A world for payments: the service and the sandbox provider on real ports and a real database, and a ledger played by the test.

Messages move only when a test says so (`world.deliver`), so that it can stop between any two steps.
"""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from runtime.http_server import HttpServer, address, bind
from runtime.http_server import serving as serving_http
from services.payments.consumers import CONSUMERS
from services.payments.main import build as build_payments
from services.payments.providers.sandbox.server.courier import work_once
from services.payments.providers.sandbox.server.main import build as build_sandbox
from services.payments.providers.sandbox.server.settings import SandboxSettings
from services.payments.settings import Settings
from shared.contracts.wallet_ledger.transaction_commands import Hold, PostHold, PostTransaction, Transfer, VoidHold
from shared.contracts.wallet_ledger.transaction_events import TransactionPosted, TransactionRejected
from shared.contracts.wallet_ledger.wallet_events import WalletOpened
from shared.ids import new_id
from shared.messaging.consumer import Delivery
from shared.messaging.envelope import Envelope, Message
from shared.messaging.inbox import AlreadyHandled
from shared.messaging.registry import registry_of
from shared.service import Service
from tests.support.identity import bearer, platform_for_tests

SECRET = "shared-for-the-test"


class ShiftedClock:
    """The machine's clock, moved forward by as much as a test says."""

    def __init__(self) -> None:
        self._shift = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._shift

    def advance(self, delta: timedelta) -> None:
        self._shift += delta


@dataclass
class PlayedLedger:
    """Just enough of a ledger: balances, holds, one outcome a key."""

    balances: dict[str, int] = field(default_factory=dict)
    holds: dict[UUID, Hold] = field(default_factory=dict)
    outcomes: dict[str, Message] = field(default_factory=dict)
    posted: list[PostTransaction] = field(default_factory=list)
    refuse_accounts: set[str] = field(default_factory=set)

    def available(self, account: str) -> int:
        held = sum(hold.amount_minor for hold in self.holds.values() if hold.debit_account == account)
        return self.balances.get(account, 0) - held

    def handle(self, command: PostTransaction) -> Message:
        return self.outcomes.setdefault(command.idempotency_key, self._decide(command))

    def _decide(self, command: PostTransaction) -> Message:
        if command.idempotency_key in self.outcomes:
            return self.outcomes[command.idempotency_key]
        facts = {
            "transaction_id": command.transaction_id,
            "idempotency_key": command.idempotency_key,
            "requested_by": "payments",
            "kind": command.kind,
            "reference": command.reference,
        }
        for entry in command.entries:
            code = self._apply(entry)
            if code is not None:
                return TransactionRejected(**facts, code=code, detail="The ledger says no.")
        self.posted.append(command)
        return TransactionPosted(**facts, booked_at=datetime.now(UTC))

    def _apply(self, entry: Any) -> str | None:
        match entry:
            case Transfer() | Hold() if entry.credit_account in self.refuse_accounts:
                return "account_closed"
            case Transfer():
                self._move(entry.debit_account, entry.credit_account, entry.amount_minor)
            case Hold() if self.available(entry.debit_account) < entry.amount_minor:
                return "insufficient_funds"
            case Hold():
                self.holds[entry.id] = entry
            case PostHold() | VoidHold() if entry.hold_id not in self.holds:
                return "hold_not_pending"
            case PostHold():
                hold = self.holds.pop(entry.hold_id)
                self._move(hold.debit_account, hold.credit_account, hold.amount_minor)
            case VoidHold():
                del self.holds[entry.hold_id]
        return None

    def _move(self, debit: str, credit: str, amount_minor: int) -> None:
        self.balances[debit] = self.balances.get(debit, 0) - amount_minor
        self.balances[credit] = self.balances.get(credit, 0) + amount_minor


@dataclass(frozen=True)
class Person:
    """Somebody with a wallet."""

    id: UUID
    wallet_id: UUID
    currency: str
    headers: dict[str, str]

    @property
    def account(self) -> str:
        return f"wallet:{self.wallet_id}"


@dataclass
class World:
    """What a test of payments works with. `api` reaches the service, `browser` anything."""

    payments: Service
    sandbox: Service
    clock: ShiftedClock
    ledger: PlayedLedger
    owner: asyncpg.Connection
    api: httpx.AsyncClient
    browser: httpx.AsyncClient
    webhook_url: str

    @property
    def context(self) -> Any:
        return self.payments.context

    @property
    def providers(self) -> dict[str, Any]:
        return self.payments.context.providers

    async def person(self, *, currency: str = "KES", balance: int = 0) -> Person:
        """Somebody whose wallet payments has been told about."""
        user_id, wallet_id = new_id(), new_id()
        opened = WalletOpened(wallet_id=wallet_id, user_id=user_id, currency=currency, name="Main", opened_at=datetime.now(UTC))
        await self.handle(opened, source="wallet_ledger")
        self.ledger.balances[f"wallet:{wallet_id}"] = balance
        return Person(user_id, wallet_id, currency, bearer(user_id))

    async def handle(self, message: Message, *, source: str, envelope: Envelope | None = None) -> None:
        """Give a message to payments, as the dispatcher would."""
        envelope = envelope or Envelope.of(
            message, id=new_id(), source=source, time=datetime.now(UTC), aggregate_id=new_id(), correlation_id="test"
        )
        try:
            await CONSUMERS[type(message)](self.context, Delivery(envelope, message))
        except AlreadyHandled:
            return

    async def deliver(self, *types: str, rounds: int = 20) -> list[str]:
        """Deliver what waits in the outbox (only `types` if given) and what follows from it; the types, in order."""
        delivered: list[str] = []
        for _ in range(rounds):
            waiting = [one for one in await self.outbox() if not types or one.type in types]
            if not waiting:
                return delivered
            for envelope in waiting:
                await self.owner.execute("UPDATE payments.outbox SET published_at = now() WHERE message_id = $1", envelope.id)
                await self._hand_over(envelope)
                delivered.append(envelope.type)
        raise AssertionError(f"messages go round in circles: {delivered[-5:]}")

    async def _hand_over(self, envelope: Envelope) -> None:
        if envelope.type == PostTransaction.type:
            await self.handle(self.ledger.handle(PostTransaction.model_validate(envelope.data)), source="wallet_ledger")
            return
        message_type = registry_of(CONSUMERS).get((envelope.type, envelope.dataversion))
        if message_type is not None:
            await self.handle(message_type.model_validate(envelope.data), source="payments", envelope=envelope)

    async def outbox(self) -> list[Envelope]:
        """Messages not yet delivered, in order."""
        rows = await self.owner.fetch("SELECT envelope::text FROM payments.outbox WHERE published_at IS NULL ORDER BY id")
        return [Envelope.from_json(row["envelope"]) for row in rows]

    async def told(self, message_type: str) -> list[dict[str, Any]]:
        """The data of every message of this type that was ever sent."""
        rows = await self.owner.fetch("SELECT envelope::text FROM payments.outbox WHERE type = $1 ORDER BY id", message_type)
        return [Envelope.from_json(row["envelope"]).data for row in rows]

    async def deposit(self, person: Person, key: str | None = None, **changes: Any) -> httpx.Response:
        """Ask for a deposit of KES 125.00, or as `changes` say."""
        body = {
            "wallet_id": str(person.wallet_id),
            "amount": 12_500,
            "currency": person.currency,
            "provider": "sandbox",
            **changes,
        }
        return await self.api.post("/v1/deposits", json=body, headers={**person.headers, "Idempotency-Key": key or str(new_id())})

    async def withdraw(
        self, person: Person, key: str | None = None, headers: dict[str, str] | None = None, **changes: Any
    ) -> httpx.Response:
        """Ask for a withdrawal of KES 50.00, or as `changes` say."""
        body = {
            "wallet_id": str(person.wallet_id),
            "amount": 5_000,
            "currency": person.currency,
            "provider": "sandbox",
            "destination": {"account": "254700000001"},
            **changes,
        }
        sent = {**person.headers, "Idempotency-Key": key or str(new_id()), **(headers or {})}
        return await self.api.post("/v1/withdrawals", json=body, headers=sent)

    async def get(self, person: Person, path: str) -> dict[str, Any]:
        """The JSON at `path`, which must be there."""
        answer = await self.api.get(path, headers=person.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def press(self, checkout_url: str, outcome: str) -> httpx.Response:
        """Press a button of the payment page."""
        return await self.browser.post(checkout_url, data={"outcome": outcome})

    async def provider_works(self) -> None:
        """Let the provider settle payouts whose time has come, and send the webhooks that are due."""
        await work_once(self.sandbox.context, self.browser)

    async def settle(self, person: Person, path: str) -> dict[str, Any]:
        """Let everybody do their work until nothing is left; what is at `path` then."""
        await self.deliver()
        self.clock.advance(timedelta(seconds=1))  # a payout takes the provider a moment
        await self.provider_works()
        await self.deliver()
        return await self.get(person, path)

    async def events_received(self) -> int:
        """How many webhooks payments has kept."""
        return int(await self.owner.fetchval("SELECT count(*) FROM payments.provider_events"))


@asynccontextmanager
async def serving(service: Service, listener: socket.socket) -> AsyncIterator[None]:
    """The service answering on `listener`. The sandbox's courier does not run; see `World.provider_works`."""
    try:
        async with serving_http(HttpServer(service.name, service.app, listener)):
            yield
    finally:
        await service.database.dispose()


@pytest.fixture
async def world(database_url: str, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """Payments and the sandbox, running."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    common: dict[str, Any] = {"env": "test", "db_role_prefix": os.environ["LENDERY_DB_ROLE_PREFIX"], "sandbox_secret": SECRET}
    payments_listener, sandbox_listener = bind("127.0.0.1", 0), bind("127.0.0.1", 0)
    payments_url, sandbox_url = address(payments_listener), address(sandbox_listener)
    clock = ShiftedClock()
    platform = platform_for_tests(clock)
    payments = build_payments(
        Settings(**common, public_url=payments_url, sandbox_url=sandbox_url, provider_timeout_seconds=2), platform
    )
    # In real life the page is reached through the gateway; here the provider's public address is its own.
    webhook_url = f"{payments_url}/v1/webhooks/sandbox"
    sandbox = build_sandbox(SandboxSettings(**common, public_url=sandbox_url, sandbox_webhook_url=webhook_url), platform)
    async with AsyncExitStack() as stack:
        assert payments.resources is not None
        await stack.enter_async_context(payments.resources())
        await stack.enter_async_context(serving(payments, payments_listener))
        await stack.enter_async_context(serving(sandbox, sandbox_listener))
        api = await stack.enter_async_context(httpx.AsyncClient(base_url=payments_url, trust_env=False, timeout=15))
        browser = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=15))
        yield World(payments, sandbox, clock, PlayedLedger(), owner, api, browser, webhook_url)
