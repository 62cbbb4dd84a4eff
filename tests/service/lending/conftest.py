"""A world for lending: the service on a real database, and a ledger played by the test.

Messages move only when a test says so (`world.deliver`), so that it can stop between any two steps.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from services.lending.consumers import CONSUMERS
from services.lending.context import Context
from services.lending.main import build
from services.lending.settings import Settings
from shared.clock import FixedClock
from shared.contracts.auth.kyc_events import KycApproved
from shared.contracts.auth.user_events import UserRegistered
from shared.contracts.wallet_ledger.transaction_commands import PostTransaction
from shared.contracts.wallet_ledger.wallet_events import WalletOpened
from shared.ids import new_id
from shared.messaging.consumer import Delivery
from shared.messaging.envelope import Envelope, Message
from shared.messaging.inbox import AlreadyHandled
from tests.support.identity import bearer, platform_for_tests
from tests.support.played_ledger import PlayedLedger

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
FINANCIALS = {"employment_status": "employed", "annual_income": 90_000_000, "monthly_obligations": 500_000}
Json = dict[str, Any]


@dataclass(frozen=True)
class Person:
    """Somebody with a wallet."""

    id: UUID
    wallet_id: UUID
    headers: dict[str, str]

    @property
    def account(self) -> str:
        return f"wallet:{self.wallet_id}"


@dataclass
class World:
    """What a test of lending works with."""

    context: Context
    clock: FixedClock
    owner: asyncpg.Connection
    api: httpx.AsyncClient
    ledger: PlayedLedger = field(default_factory=PlayedLedger)
    admin: dict[str, str] = field(default_factory=lambda: bearer(new_id(), roles=("user", "admin")))

    async def person(self, balance: int = 0, *, currency: str = "KES", kyc: bool = True, **claims: Any) -> Person:
        """Somebody that lending has been told about."""
        person = Person(user_id := new_id(), new_id(), bearer(user_id, **claims))
        await self.handle(
            UserRegistered(
                user_id=person.id,
                email="somebody@example.test",
                full_name="Some Body",
                home_currency=currency,
                email_verified=True,
                roles=["user"],
                registered_at=NOW,
            )
        )
        if kyc:
            await self.handle(KycApproved(user_id=person.id, kyc_id=new_id(), country="KE", approved_at=NOW))
        await self.handle(
            WalletOpened(wallet_id=person.wallet_id, user_id=person.id, currency=currency, name="Main", opened_at=NOW)
        )
        if balance:
            self.ledger.deposit(person.account, balance)
        return person

    # Messages.

    async def handle(self, message: Message, message_id: UUID | None = None) -> bool:
        """Give a message to lending, as the dispatcher would; false when it was there before."""
        envelope = Envelope.of(
            message,
            id=message_id or new_id(),
            source=message.type.split(".")[0],
            time=datetime.now(UTC),
            aggregate_id=new_id(),
            correlation_id="test",
        )
        try:
            await CONSUMERS[type(message)](self.context, Delivery(envelope, message))
        except AlreadyHandled:
            return False
        return True

    async def take(self) -> list[PostTransaction]:
        """What lending has asked the ledger for and nobody has taken yet, in order."""
        rows = await self.owner.fetch(
            "UPDATE lending.outbox SET published_at = now() WHERE published_at IS NULL AND type = $1 "
            "RETURNING id, envelope::text",
            PostTransaction.type,
        )
        ordered = sorted(rows, key=lambda row: row["id"])
        return [PostTransaction.model_validate(Envelope.from_json(row["envelope"]).data) for row in ordered]

    async def deliver(self) -> int:
        """Let the ledger answer until nothing is left to ask; how many transactions that were."""
        count = 0
        while commands := await self.take():
            count += len(commands)
            for command in commands:
                await self.handle(self.ledger.handle(command, "lending"))
        return count

    async def told(self, message_type: str) -> list[Json]:
        """The data of every message of this type that was ever sent, in order."""
        rows = await self.owner.fetch("SELECT envelope::text FROM lending.outbox WHERE type = $1 ORDER BY id", message_type)
        return [Envelope.from_json(row["envelope"]).data for row in rows]

    # Requests.

    async def post(self, who: Person | dict[str, str], path: str, body: Any = None, key: str | None = None) -> httpx.Response:
        """POST with a new idempotency key unless one is given."""
        headers = who.headers if isinstance(who, Person) else who
        return await self.api.post(path, json=body, headers={"Idempotency-Key": key or str(new_id()), **headers})

    async def get(self, who: Person | dict[str, str], path: str, **query: Any) -> Json:
        """The JSON at `path`, which must be there."""
        headers = who.headers if isinstance(who, Person) else who
        answer = await self.api.get(path, params=query, headers=headers)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def apply(self, borrower: Person, key: str | None = None, **changes: Any) -> httpx.Response:
        """Apply for KES 1,000.03 over three months, or as `changes` say."""
        body = {
            "amount": 100_003,
            "currency": "KES",
            "term_months": 3,
            "purpose": "A second oven",
            "wallet_id": str(borrower.wallet_id),
            "financials": FINANCIALS,
            **changes,
        }
        return await self.post(borrower, "/v1/loans", {name: value for name, value in body.items() if value is not None}, key)

    async def listed(self, borrower: Person, *, annual_rate: str = "0.1850", funding_days: int = 14, **changes: Any) -> str:
        """The id of a loan that is open to lenders."""
        applied = await self.apply(borrower, **changes)
        assert applied.status_code == 201, applied.text
        loan_id: str = applied.json()["id"]
        terms = {"annual_rate": annual_rate, "funding_days": funding_days}
        approved = await self.post(self.admin, f"/v1/admin/loans/{loan_id}/approve", terms)
        assert (approved.status_code, approved.json()["status"]) == (200, "funding"), approved.text
        return loan_id

    async def invest(self, lender: Person, loan_id: str, amount: int, key: str | None = None, **changes: Any) -> httpx.Response:
        """Invest from the lender's wallet."""
        body = {"amount": amount, "wallet_id": str(lender.wallet_id), **changes}
        return await self.post(lender, f"/v1/loans/{loan_id}/investments", body, key)

    async def active(self, borrower: Person, *parts: int, **changes: Any) -> tuple[str, list[Person]]:
        """A loan that is paid out, and its lenders: one for each of `parts`, which make up its amount."""
        loan_id = await self.listed(borrower, amount=sum(parts), **changes)
        lenders = [await self.person(part) for part in parts]
        for lender, part in zip(lenders, parts, strict=True):
            assert (await self.invest(lender, loan_id, part)).status_code == 202
        await self.deliver()
        assert (await self.get(borrower, f"/v1/loans/{loan_id}"))["status"] == "active"
        return loan_id, lenders

    async def repay(self, borrower: Person, loan_id: str, amount: int, key: str | None = None) -> httpx.Response:
        """Pay on a loan."""
        body = {"amount": amount, "wallet_id": str(borrower.wallet_id)}
        return await self.post(borrower, f"/v1/loans/{loan_id}/repayments", body, key)

    async def repaid(self, borrower: Person, loan_id: str, amount: int) -> Json:
        """A repayment, asked for and answered."""
        answer = await self.repay(borrower, loan_id, amount)
        assert answer.status_code == 202, answer.text
        await self.deliver()
        return await self.get(borrower, f"/v1/loans/{loan_id}/repayments/{answer.json()['id']}")

    async def schedule(self, who: Person, loan_id: str) -> list[Json]:
        """The installments of a loan."""
        found: list[Json] = (await self.get(who, f"/v1/loans/{loan_id}/schedule"))["installments"]
        return found

    async def investment(self, lender: Person) -> Json:
        """The lender's only investment."""
        (found,) = (await self.get(lender, "/v1/investments"))["items"]
        return dict(found)

    async def close(self, day: date | str) -> Json:
        """Close business up to a day."""
        answer = await self.post(self.admin, "/v1/admin/close-of-business", {"date": str(day)})
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def check(self, loan_id: str) -> None:
        """The loan, its lenders' holdings and the ledger agree to the minor unit."""
        self.ledger.check()
        assert self.ledger.balance(f"loan:{loan_id}:funding") == 0
        assert self.ledger.balance(f"loan:{loan_id}:collections") == 0
        loan = await self.owner.fetchrow("SELECT * FROM lending.loans WHERE id = $1", UUID(loan_id))
        rows = await self.owner.fetch("SELECT * FROM lending.investments WHERE loan_id = $1", UUID(loan_id))
        owners = [row for row in rows if row["status"] in ("active", "completed")]
        assert sum(row["outstanding_minor"] for row in owners) == loan["outstanding_minor"]
        assert all(row["outstanding_minor"] + row["principal_minor"] == row["amount_minor"] for row in owners)


@asynccontextmanager
async def lending_world(database_url: str, owner: asyncpg.Connection, **settings: Any) -> AsyncIterator[World]:
    """Lending over `database_url`, answering in this process."""
    clock = FixedClock(NOW)
    common: Json = {"env": "test", "DATABASE_URL": database_url, "db_role_prefix": os.environ["LENDERY_DB_ROLE_PREFIX"]}
    service = build(Settings(**common, **settings), platform_for_tests(clock))
    transport = httpx.ASGITransport(app=service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://lending") as api:
        yield World(service.context, clock, owner, api)
    await service.database.dispose()


@pytest.fixture
async def world(database_url: str, owner: asyncpg.Connection) -> AsyncIterator[World]:
    """Lending on a platform that may simulate later dates."""
    async with lending_world(database_url, owner, simulation=True) as world:
        yield world


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that is missing is waited for."""

    async def once_only(read: Any) -> Any:
        return await read()

    monkeypatch.setattr("services.lending.commands.apply_for_loan.eventually", once_only)
