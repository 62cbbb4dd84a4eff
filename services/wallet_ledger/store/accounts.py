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

_HIGHEST_LETTER = "\U0010ffff"


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


def list_of_accounts(prefix: str | None, currency: str | None, before: int | None, limit: int) -> sa.Select[Any]:
    """The query of `AccountStore.list`. Each order has an index to walk along: a page is quick however few accounts fit."""
    if prefix is None and currency is None:
        query = _ROW if before is None else _ROW.where(accounts.c.id < before)
        return query.order_by(accounts.c.id.desc()).limit(limit)
    begin = prefix or ""
    query = _ROW.where(accounts.c.address >= begin, accounts.c.address < begin + _HIGHEST_LETTER)
    if currency is not None:
        query = query.where(accounts.c.currency == currency)
    if before is not None:
        shown = sa.select(accounts.c.address).where(accounts.c.id == before).scalar_subquery()
        query = query.where(accounts.c.address < shown)
    return query.order_by(accounts.c.address.desc()).limit(limit)


class AccountStore:
    """Accounts, on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def list(self, prefix: str | None, currency: str | None, before: int | None, limit: int) -> Sequence[AccountRow]:
        """Accounts before account `before`: newest first, or by their addresses, the last first, where some are wanted."""
        rows = await self._connection.execute(list_of_accounts(prefix, currency, before, limit))
        return [_account(row) for row in rows]

    async def trial_balance(self) -> Sequence[TrialBalanceLine]:
        """What all accounts that were ever used together say, by currency and kind of account."""
        rows = await self._connection.execute(_TRIAL_BALANCE)
        return [TrialBalanceLine(row[0], row[1], *(int(value) for value in row[2:])) for row in rows]


def _account(row: Any) -> AccountRow:
    return AccountRow(*row)
