"""Deposits in PostgreSQL. Who changes one holds the lock of its saga, so there is no second lock here."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.payments.domain.deposit import Deposit, DepositStatus
from services.payments.store.tables import deposits, sagas


class DepositStore:
    """Deposits on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, deposit: Deposit) -> None:
        """Insert a new intent."""
        row = {column.name: getattr(deposit, column.name) for column in deposits.columns}
        await self._connection.execute(deposits.insert().values(row))

    async def find(self, deposit_id: UUID) -> Deposit | None:
        """The deposit, whoever owns it."""
        return await self._one(deposits.c.id == deposit_id)

    async def find_for(self, user_id: UUID, deposit_id: UUID) -> Deposit | None:
        """The deposit, if it is the user's."""
        return await self._one(deposits.c.id == deposit_id, deposits.c.user_id == user_id)

    async def find_by_request(self, user_id: UUID, idempotency_key: str) -> Deposit | None:
        """The intent that a request with this key has made."""
        return await self._one(deposits.c.user_id == user_id, deposits.c.idempotency_key == idempotency_key)

    async def find_by_reference(self, provider: str, reference: str) -> Deposit | None:
        """The deposit that the provider knows by `reference`."""
        return await self._one(deposits.c.provider == provider, deposits.c.reference == reference)

    async def of_user(self, user_id: UUID, after: UUID | None, limit: int) -> Sequence[Deposit]:
        """The user's deposits, newest first, from the one after `after` on."""
        query = sa.select(deposits).where(deposits.c.user_id == user_id)
        if after is not None:
            query = query.where(deposits.c.id < after)
        rows = await self._connection.execute(query.order_by(deposits.c.id.desc()).limit(limit))
        return [_read(row) for row in rows.mappings()]

    async def due_for_sync(self, now: datetime, limit: int) -> Sequence[UUID]:
        """Deposits about which the provider should be asked, the longest overdue first."""
        query = sa.select(deposits.c.id).where(deposits.c.next_sync_at <= now).order_by(deposits.c.next_sync_at).limit(limit)
        return (await self._connection.execute(query)).scalars().all()

    async def due_in_ledger(self, now: datetime, limit: int) -> Sequence[UUID]:
        """Deposits for which the ledger has not answered in time."""
        query = (
            sa.select(sagas.c.id)
            .where(sagas.c.kind == "deposit", sagas.c.deadline_at <= now, sagas.c.state.in_(("crediting", "parking")))
            .order_by(sagas.c.deadline_at)
            .limit(limit)
        )
        return (await self._connection.execute(query)).scalars().all()

    async def change(self, deposit_id: UUID, **values: Any) -> None:
        """Write columns of one deposit."""
        await self._connection.execute(deposits.update().where(deposits.c.id == deposit_id).values(**values))

    async def _one(self, *conditions: sa.ColumnElement[bool]) -> Deposit | None:
        row = (await self._connection.execute(sa.select(deposits).where(*conditions))).mappings().one_or_none()
        return _read(row) if row is not None else None


def _read(row: Mapping[Any, Any]) -> Deposit:
    return Deposit(**{**row, "status": DepositStatus(row["status"])})
