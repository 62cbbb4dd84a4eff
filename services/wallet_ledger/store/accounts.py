"""Reads of accounts, for operators."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.wallet_ledger.domain.journal import AccountRow, TrialBalanceLine
from services.wallet_ledger.store.tables import accounts

_ROW = sa.select(
    accounts.c.id,
    accounts.c.address,
    accounts.c.currency,
    accounts.c.status,
    accounts.c.version,
    accounts.c.credits_posted_minor - accounts.c.debits_posted_minor,
    accounts.c.debits_pending_minor,
    accounts.c.credits_pending_minor,
    accounts.c.floor_minor,
    accounts.c.opened_at,
)


def _total(column: sa.Column[int]) -> sa.ColumnElement[int]:
    return sa.func.sum(column)


_KIND = sa.func.split_part(accounts.c.address, ":", 1)
_TRIAL_BALANCE = (
    sa.select(
        accounts.c.currency,
        _KIND,
        sa.func.count(),
        _total(accounts.c.debits_posted_minor),
        _total(accounts.c.credits_posted_minor),
        _total(accounts.c.debits_pending_minor),
        _total(accounts.c.credits_pending_minor),
    )
    .where(accounts.c.version > 0)
    .group_by(accounts.c.currency, _KIND)
    .order_by(accounts.c.currency, _KIND)
)


class AccountStore:
    """Accounts, on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def list(self, prefix: str | None, currency: str | None, before: int | None, limit: int) -> Sequence[AccountRow]:
        """Accounts, newest first, those whose address begins with `prefix`."""
        query = _ROW
        if prefix is not None:
            query = query.where(accounts.c.address.startswith(prefix, autoescape=True))
        if currency is not None:
            query = query.where(accounts.c.currency == currency)
        if before is not None:
            query = query.where(accounts.c.id < before)
        rows = await self._connection.execute(query.order_by(accounts.c.id.desc()).limit(limit))
        return [_account(row) for row in rows]

    async def trial_balance(self) -> Sequence[TrialBalanceLine]:
        """What all accounts that were ever used together say, by currency and kind of account."""
        rows = await self._connection.execute(_TRIAL_BALANCE)
        return [TrialBalanceLine(row[0], row[1], *(int(value) for value in row[2:])) for row in rows]


def _account(row: Any) -> AccountRow:
    return AccountRow(*row)
