"""Ends of days: what was kept says the same as the journal, by either date, whenever it was kept."""

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from services.wallet_ledger.commands import close_days as closing
from services.wallet_ledger.commands.close_days import close_days
from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.wallet import Wallet
from services.wallet_ledger.main import build
from services.wallet_ledger.queries.statements import statement_entries, statement_of
from services.wallet_ledger.queries.verification import verify_ledger
from services.wallet_ledger.queries.wallets import By, balance_at, wallet_of
from shared.clock import FixedClock
from shared.ids import new_id
from tests.service.wallet_ledger.conftest import move, settings_for, transaction
from tests.support.identity import platform_for_tests

FIRST = date(2026, 3, 1)


@dataclass
class Days:
    """A ledger whose clock goes on by hand, and what every account should have had when."""

    context: Context
    clock: FixedClock
    entries: dict[str, list[tuple[datetime, date, int]]] = field(default_factory=dict)

    async def pay(self, debit: str, credit: str, amount_minor: int, effective_on: date | None = None) -> None:
        outcome = await self.context.poster.post(transaction(move(debit, credit, amount_minor), effective_on=effective_on))
        assert outcome.posted, outcome
        now = self.clock.now()
        for account, amount in ((debit, -amount_minor), (credit, amount_minor)):
            self.entries.setdefault(account, []).append((now, effective_on or now.date(), amount))

    def balance(self, account: str, at: datetime, by: By) -> int:
        entries = self.entries.get(account, [])
        return sum(amount for booked, day, amount in entries if (day <= at.date() if by == "effective" else booked <= at))


@pytest.fixture
async def days(database_url: str) -> AsyncIterator[Days]:
    clock = FixedClock(datetime(FIRST.year, FIRST.month, FIRST.day, 9, tzinfo=UTC))
    service = build(settings_for(database_url), platform_for_tests(clock))
    assert service.resources is not None
    async with service.resources():
        yield Days(service.context, clock)
    await service.database.dispose()


async def open_wallets(days: Days, owner: asyncpg.Connection, count: int) -> list[Wallet]:
    wallets = []
    for _ in range(count):
        wallet_id, user_id = new_id(), new_id()
        await owner.execute(
            "WITH account AS (INSERT INTO wallet_ledger.accounts (address, currency) VALUES ('wallet:' || $1::uuid, 'KES')"
            " RETURNING id) INSERT INTO wallet_ledger.wallets (id, user_id, account_id, currency, name, is_home, opened_at)"
            " SELECT $1, $2, id, 'KES', 'Home', true, now() FROM account",
            wallet_id,
            user_id,
        )
        wallets.append(await wallet_of(days.context, user_id, wallet_id))
    return wallets


async def agree(days: Days, wallets: list[Wallet]) -> None:
    """Balances and statements by either date are what the model says, on every day there is, and around midnight."""
    for wallet in wallets:
        account = f"wallet:{wallet.id}"
        for offset in range(-5, 12):
            at = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) + timedelta(days=offset, hours=9 * (offset % 2))
            for by in ("booked", "effective"):
                found = await balance_at(days.context, wallet, at, by)
                assert found.balance_minor == days.balance(account, at, by), (account, at, by)
        for by in ("booked", "effective"):
            statement = await statement_of(days.context, wallet, FIRST + timedelta(days=1), FIRST + timedelta(days=5), by)
            entries = [entry async for entry in statement_entries(days.context, statement)]
            assert (
                statement.opening_minor
                + sum(entry.amount_minor if entry.direction == "credit" else -entry.amount_minor for entry in entries)
                == statement.closing_minor
                == days.balance(account, _end_of(FIRST + timedelta(days=5)), by)
            )


def _end_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 23, 59, 59, 999_999, tzinfo=UTC)


@pytest.mark.parametrize("seed", [1, 2])
async def test_kept_or_not_the_past_is_the_same(
    days: Days, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(closing, "_TRANSACTIONS_A_STRETCH", 7)
    chance = random.Random(seed)
    wallets = await open_wallets(days, owner, 2)
    accounts = [f"wallet:{wallet.id}" for wallet in wallets]
    await owner.execute("UPDATE wallet_ledger.accounts SET floor_minor = NULL")
    for number in range(8):
        for _ in range(chance.randrange(14)):
            dated = chance.random() < 0.4
            effective_on = days.clock.now().date() + timedelta(days=chance.randrange(-5, 4)) if dated else None
            debit, credit = chance.sample(accounts, 2)
            await days.pay(debit, credit, chance.randrange(1, 1_000), effective_on)
            days.clock.advance(timedelta(minutes=1))
        if number in (2, 3, 6):
            await close_days(days.context)
        if number == 6:
            await agree(days, wallets)
        days.clock.advance(timedelta(days=1))
    await days.pay(accounts[0], accounts[1], 1)
    await close_days(days.context)
    await close_days(days.context)
    await agree(days, wallets)
    assert await owner.fetchval("SELECT count(*) FROM wallet_ledger.effective_shifts") > 0
    report = await verify_ledger(days.context.database)
    assert [fault for fault in report.faults if fault.check != "wallets"] == []


async def test_a_past_day_is_one_probe(days: Days, owner: asyncpg.Connection) -> None:
    (wallet,) = await open_wallets(days, owner, 1)
    for _ in range(5):
        for _ in range(20):
            await days.pay("provider:test:KES", f"wallet:{wallet.id}", 10, days.clock.now().date() - timedelta(days=2))
        days.clock.advance(timedelta(days=1))
    await days.pay("provider:test:KES", f"wallet:{wallet.id}", 10)
    await close_days(days.context)
    # Were it read, the past would be another one.
    await owner.execute("SET session_replication_role = replica")
    await owner.execute("UPDATE wallet_ledger.transfers SET amount_minor = 1, credit_balance_after_minor = 0")

    at = datetime(FIRST.year, FIRST.month, FIRST.day, 23, tzinfo=UTC)
    assert (await balance_at(days.context, wallet, at + timedelta(days=1), "effective")).balance_minor == 800
    statement = await statement_of(days.context, wallet, FIRST + timedelta(days=1), FIRST + timedelta(days=2))
    assert (statement.opening_minor, statement.closing_minor) == (200, 600)


@pytest.mark.parametrize(
    ("statement", "check", "what"),
    [
        ("UPDATE day_balances SET balance_minor = balance_minor + 1 WHERE day = '2026-03-01'", "ends of days", "the balance is"),
        ("DELETE FROM day_balances WHERE day = '2026-03-01'", "ends of days", "it begins after version 0"),
        ("DELETE FROM day_balances WHERE day = '2026-03-02'", "ends of days", "closed without it"),
        ("UPDATE day_balances SET version = version - 1 WHERE day = '2026-03-02'", "ends of days", "the balance is"),
        ("UPDATE effective_shifts SET shift_minor = 0", "effective dates", "its dated rows make it"),
        ("DELETE FROM effective_shifts WHERE day = '2026-02-27'", "effective dates", "no shift was kept"),
    ],
)
async def test_what_was_kept_is_verified(days: Days, owner: asyncpg.Connection, statement: str, check: str, what: str) -> None:
    for number in range(4):
        await days.pay("provider:test:KES", "fees:KES", 5)
        await days.pay("provider:test:KES", "fees:KES", 7, date(2026, 2, 27) if number == 1 else None)
        days.clock.advance(timedelta(days=1) if number != 2 else timedelta())
    await close_days(days.context)
    assert (await verify_ledger(days.context.database)).sound
    await owner.execute("SET search_path = wallet_ledger; SET session_replication_role = replica")

    await owner.execute(statement)

    faults = (await verify_ledger(days.context.database)).faults
    assert [fault for fault in faults if fault.check == check and what in fault.what], faults
