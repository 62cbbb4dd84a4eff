"""Wallets in PostgreSQL: the wallet's row, and its account's."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.wallet_ledger.domain.chart_of_accounts import rule_for, wallet_address
from services.wallet_ledger.domain.wallet import Wallet
from services.wallet_ledger.store.tables import accounts, people, wallets

_SELECT = sa.select(
    wallets.c.id,
    wallets.c.user_id,
    wallets.c.account_id,
    wallets.c.currency,
    wallets.c.name,
    wallets.c.is_home,
    accounts.c.status,
    (accounts.c.credits_posted_minor - accounts.c.debits_posted_minor).label("balance_minor"),
    accounts.c.debits_pending_minor.label("held_minor"),
    wallets.c.opened_at,
).join_from(wallets, accounts, accounts.c.id == wallets.c.account_id)

# One statement for any number of wallets.
_FIND_ALL = """
SELECT w.id, w.user_id, w.account_id, w.currency, w.name, w.is_home, a.status,
       a.credits_posted_minor - a.debits_posted_minor AS balance_minor, a.debits_pending_minor AS held_minor, w.opened_at
FROM wallets w JOIN accounts a ON a.id = w.account_id WHERE w.id = ANY ($1::uuid[])
"""


class WalletStore:
    """Wallets, on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock_owner(self, user_id: UUID) -> None:
        """Until the transaction ends nobody else opens a wallet for this person."""
        lock = sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"wallets of {user_id}", 0))
        await self._connection.execute(sa.select(lock))

    async def open(
        self, wallet_id: UUID, user_id: UUID, currency: str, name: str, *, is_home: bool, opened_at: datetime
    ) -> Wallet:
        """Add a wallet and its account, which is empty."""
        address = wallet_address(wallet_id)
        rule = rule_for(address)
        assert rule is not None  # noqa: S101 the chart has wallets
        account = sa.insert(accounts).values(address=address, currency=currency, floor_minor=rule.floor_minor)
        account_id = (await self._connection.execute(account.returning(accounts.c.id))).scalar_one()
        await self._connection.execute(
            sa.insert(wallets).values(
                id=wallet_id,
                user_id=user_id,
                account_id=account_id,
                currency=currency,
                name=name,
                is_home=is_home,
                opened_at=opened_at,
            )
        )
        return Wallet(wallet_id, user_id, account_id, currency, name, is_home, "open", 0, 0, opened_at)

    async def of_user(self, user_id: UUID, after: UUID | None = None, limit: int = 200) -> Sequence[Wallet]:
        """A person's wallets, newest first, from the one after `after`."""
        query = _SELECT.where(wallets.c.user_id == user_id)
        if after is not None:
            query = query.where(wallets.c.id < after)
        rows = await self._connection.execute(query.order_by(wallets.c.id.desc()).limit(limit))
        return [_wallet(row) for row in rows]

    async def count_of(self, user_id: UUID) -> int:
        """How many wallets a person has, closed ones not counted."""
        query = sa.select(sa.func.count()).join_from(wallets, accounts, accounts.c.id == wallets.c.account_id)
        found = await self._connection.execute(query.where(wallets.c.user_id == user_id, accounts.c.status != "closed"))
        return int(found.scalar_one())

    async def find_for(self, user_id: UUID, wallet_id: UUID) -> Wallet | None:
        """One wallet of this person."""
        return await self._find(wallets.c.id == wallet_id, wallets.c.user_id == user_id)

    async def find_all(self, wallet_ids: Collection[UUID]) -> Mapping[UUID, Wallet]:
        """Those of these wallets that there are, whosever they are."""
        rows = await self._connection.exec_driver_sql(_FIND_ALL, (list(wallet_ids),))
        return {row.id: _wallet(row) for row in rows}

    async def home_of(self, user_id: UUID) -> Wallet | None:
        """The wallet that a person got at registration."""
        return await self._find(wallets.c.user_id == user_id, wallets.c.is_home)

    async def receiving(self, email_indexes: Sequence[bytes], currency: str) -> Wallet | None:
        """Where money for an address goes: its owner's home wallet if it is in `currency`, else their oldest that is."""
        owner = sa.select(people.c.user_id).where(people.c.email_index.in_(email_indexes), people.c.active)
        return await self._find(
            wallets.c.user_id.in_(owner),
            wallets.c.currency == currency,
            accounts.c.status != "closed",
            order_by=(wallets.c.is_home.desc(), wallets.c.id),
        )

    async def _find(self, *where: sa.ColumnElement[bool], order_by: Sequence[Any] = ()) -> Wallet | None:
        row = (await self._connection.execute(_SELECT.where(*where).order_by(*order_by).limit(1))).first()
        return _wallet(row) if row is not None else None


def _wallet(row: Any) -> Wallet:
    return Wallet(**row._mapping)
