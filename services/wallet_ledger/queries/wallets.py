"""Reads of wallets: what is in them, what went through them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.journal import Entry
from services.wallet_ledger.domain.problems import WalletNotFound
from services.wallet_ledger.domain.wallet import Wallet
from services.wallet_ledger.store.entries import EntryStore
from services.wallet_ledger.store.holds import past_deadline
from services.wallet_ledger.store.wallets import WalletStore

By = Literal["booked", "effective"]
"""By which of its two dates an entry counts."""

_LAST_VERSION = 2**63 - 1
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)


async def wallets_of(context: Context, user_id: UUID, after: UUID | None, limit: int) -> Sequence[Wallet]:
    """A person's wallets, newest first."""
    async with context.read() as connection:
        found = await WalletStore(connection).of_user(user_id, after, limit)
        return await _without_what_is_over(context, connection, found)


async def wallet_of(context: Context, user_id: UUID, wallet_id: UUID) -> Wallet:
    """One wallet of a person. Raises `WalletNotFound`."""
    async with context.read() as connection:
        found = await WalletStore(connection).find_for(user_id, wallet_id)
        if found is None:
            raise WalletNotFound("Check the id: GET /v1/wallets lists your wallets.")
        (wallet,) = await _without_what_is_over(context, connection, [found])
    return wallet


async def _without_what_is_over(context: Context, connection: AsyncConnection, found: Sequence[Wallet]) -> Sequence[Wallet]:
    """A hold ends at its deadline, not when the sweep comes by some moments later."""
    holding = [wallet.account_id for wallet in found if wallet.held_minor]
    if not holding:
        return found
    over = await past_deadline(connection, holding, context.clock.now())
    return [replace(wallet, held_minor=wallet.held_minor - over.get(wallet.account_id, 0)) for wallet in found]


async def entries_of(context: Context, wallet: Wallet, before: int | None, limit: int) -> Sequence[Entry]:
    """What came into and went out of a wallet, newest first, below version `before`."""
    async with context.read() as connection:
        return await EntryStore(connection).newest(wallet.account_id, before or _LAST_VERSION, limit)


@dataclass(frozen=True, slots=True)
class BalanceAt:
    """What a wallet held at an instant; minor units."""

    at: datetime
    balance_minor: int
    held_minor: int


async def balance_at(context: Context, wallet: Wallet, instant: datetime, by: By = "booked") -> BalanceAt:
    """What had been booked up to and including `instant`; by effective date, what counts by the end of its day."""
    instant = min(instant, _LATEST)
    async with context.read() as connection:
        entries = EntryStore(connection)
        if by == "effective":
            known = await entries.last_version(wallet.account_id)
            version, balance_minor = await balance_at_end_of(entries, wallet, instant.date(), by, known)
            _, held_minor = await entries.balance_after(wallet.account_id, version)
        else:
            version = await entries.version_before(wallet.account_id, instant + timedelta(microseconds=1))
            balance_minor, held_minor = await entries.balance_after(wallet.account_id, version)
    return BalanceAt(instant, balance_minor, held_minor)


async def balance_at_end_of(entries: EntryStore, wallet: Wallet, day: date, by: By, known: int) -> tuple[int, int]:
    """The last version booked by the end of a day, and the balance then in minor units, of what is known at version `known`."""
    kept = await entries.end_of_day(wallet.account_id, day)
    if kept is not None and kept[0] <= known:
        version, balance_minor, _ = kept
    else:
        version = min(known, await entries.version_before(wallet.account_id, _midnight(day + timedelta(days=1))))
        balance_minor, _ = await entries.balance_after(wallet.account_id, version)
    if by == "effective":
        balance_minor += await entries.effective_shift(wallet.account_id, day, version, known)
    return version, balance_minor


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
