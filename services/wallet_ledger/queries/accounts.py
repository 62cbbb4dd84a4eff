"""Reads of accounts, for operators."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.journal import AccountRow, TrialBalanceLine
from services.wallet_ledger.store.accounts import AccountStore
from services.wallet_ledger.store.trial_balances import TrialBalances

_LATEST = datetime(9999, 1, 1, tzinfo=UTC)


async def list_accounts(
    context: Context, prefix: str | None, currency: str | None, before: int | None, limit: int
) -> Sequence[AccountRow]:
    """Accounts, newest first; those with a prefix or in a currency by address, the last first."""
    async with context.read() as connection:
        return await AccountStore(connection).list(prefix, currency, before, limit)


async def trial_balance(context: Context, at: datetime | None) -> Sequence[TrialBalanceLine]:
    """All accounts summed, by currency and kind; debits and credits of a currency are equal.

    Now it is what the accounts say; at an instant, what had been booked up to and including it.
    """
    async with context.read() as connection:
        if at is None:
            return await AccountStore(connection).trial_balance()
        return await TrialBalances(connection).at(min(at, _LATEST) + timedelta(microseconds=1))
