"""Statements of wallets over some days of UTC, by booking date or by effective date."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.journal import Entry
from services.wallet_ledger.domain.wallet import Wallet
from services.wallet_ledger.queries.wallets import By, balance_at_end_of
from services.wallet_ledger.store.entries import EntryStore

_ROWS_A_FETCH = 1_000


@dataclass(frozen=True, slots=True)
class Statement:
    """A wallet over some days, both included: booked in versions above `after_version` and not above `up_to_version`.

    By effective date, entries that count for another day than that of their booking come and go; nothing that is booked after
    version `known_version` is in it, so that the balances and the entries agree whatever is posted meanwhile.
    """

    wallet: Wallet
    from_day: date
    to_day: date
    by: By
    after_version: int
    up_to_version: int
    known_version: int
    opening_minor: int
    closing_minor: int


async def statement_of(context: Context, wallet: Wallet, from_day: date, to_day: date, by: By = "booked") -> Statement:
    """The frame of a statement; its entries come from `statement_entries`."""
    async with context.read() as connection:
        entries = EntryStore(connection)
        known = await entries.last_version(wallet.account_id)
        first, opening_minor = await balance_at_end_of(entries, wallet, from_day - timedelta(days=1), by, known)
        last, closing_minor = await balance_at_end_of(entries, wallet, to_day, by, known)
    return Statement(wallet, from_day, to_day, by, first, last, known, opening_minor, closing_minor)


async def statement_entries(context: Context, statement: Statement) -> AsyncIterator[Entry]:
    """Every entry of a statement, oldest first, read some at a time."""
    if statement.by == "booked":
        async for entry in _booked(context, statement, undated_only=False):
            yield entry
        return
    balance_minor = statement.opening_minor
    async for entry in _effective(context, statement):
        balance_minor += entry.amount_minor if entry.direction == "credit" else -entry.amount_minor
        yield replace(entry, balance_after_minor=balance_minor)


async def _effective(context: Context, statement: Statement) -> AsyncIterator[Entry]:
    """The entries booked on the day for which they count and the others, merged by that day."""
    others = _dated(context, statement)
    other = await anext(others, None)
    async for entry in _booked(context, statement, undated_only=True):
        while other is not None and (other.effective_on, other.version) < (entry.effective_on, entry.version):
            yield other
            other = await anext(others, None)
        yield entry
    while other is not None:
        yield other
        other = await anext(others, None)


async def _booked(context: Context, statement: Statement, *, undated_only: bool) -> AsyncIterator[Entry]:
    after = statement.after_version
    while True:
        async with context.read() as connection:
            store = EntryStore(connection)
            read = store.undated if undated_only else store.oldest
            found = await read(statement.wallet.account_id, after, statement.up_to_version, _ROWS_A_FETCH)
        for entry in found:
            yield entry
        if len(found) < _ROWS_A_FETCH:
            return
        after = found[-1].version


async def _dated(context: Context, statement: Statement) -> AsyncIterator[Entry]:
    days, after = (statement.from_day, statement.to_day), (statement.from_day, 0)
    while True:
        async with context.read() as connection:
            store = EntryStore(connection)
            found = await store.dated(statement.wallet.account_id, statement.known_version, days, after, _ROWS_A_FETCH)
        for entry in found:
            yield entry
        if len(found) < _ROWS_A_FETCH:
            return
        after = (found[-1].effective_on, found[-1].version)
