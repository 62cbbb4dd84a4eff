"""Withdrawals in PostgreSQL. Who changes one holds the lock of its saga, so there is no second lock here."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.payments.domain.withdrawal import Withdrawal, WithdrawalStatus
from services.payments.store.tables import sagas, withdrawals


class WithdrawalStore:
    """Withdrawals on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, withdrawal: Withdrawal) -> None:
        """Insert a new order."""
        row = {column.name: getattr(withdrawal, column.name) for column in withdrawals.columns}
        await self._connection.execute(withdrawals.insert().values(row))

    async def find(self, withdrawal_id: UUID) -> Withdrawal | None:
        """The withdrawal, whoever owns it."""
        return await self._one(withdrawals.c.id == withdrawal_id)

    async def find_for(self, user_id: UUID, withdrawal_id: UUID) -> Withdrawal | None:
        """The withdrawal, if it is the user's."""
        return await self._one(withdrawals.c.id == withdrawal_id, withdrawals.c.user_id == user_id)

    async def find_by_reference(self, provider: str, reference: str) -> Withdrawal | None:
        """The withdrawal that the provider knows by `reference`."""
        return await self._one(withdrawals.c.provider == provider, withdrawals.c.reference == reference)

    async def of_user(self, user_id: UUID, after: UUID | None, limit: int) -> Sequence[Withdrawal]:
        """The user's withdrawals, newest first, from the one after `after` on."""
        query = sa.select(withdrawals).where(withdrawals.c.user_id == user_id)
        if after is not None:
            query = query.where(withdrawals.c.id < after)
        rows = await self._connection.execute(query.order_by(withdrawals.c.id.desc()).limit(limit))
        return [_read(row) for row in rows.mappings()]

    async def due(self, now: datetime, limit: int) -> Sequence[UUID]:
        """Withdrawals that have waited too long for the ledger, a worker or the provider, the longest overdue first."""
        query = (
            sa.select(sagas.c.id)
            .where(sagas.c.kind == "withdrawal", sagas.c.deadline_at <= now)
            .order_by(sagas.c.deadline_at)
            .limit(limit)
        )
        return (await self._connection.execute(query)).scalars().all()

    async def change(self, withdrawal_id: UUID, **values: Any) -> None:
        """Write columns of one withdrawal."""
        await self._connection.execute(withdrawals.update().where(withdrawals.c.id == withdrawal_id).values(**values))

    async def _one(self, *conditions: sa.ColumnElement[bool]) -> Withdrawal | None:
        row = (await self._connection.execute(sa.select(withdrawals).where(*conditions))).mappings().one_or_none()
        return _read(row) if row is not None else None


def _read(row: Mapping[Any, Any]) -> Withdrawal:
    return Withdrawal(**{**row, "status": WithdrawalStatus(row["status"])})
