"""Resets of second factors in the database."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain.factor_reset import OPEN_RESETS, FactorReset
from services.auth.store.factor_tables import factor_resets


class FactorResets:
    """Reads and writes resets on one connection. Whoever changes one first locks its account."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, reset: FactorReset) -> None:
        """Insert a reset."""
        await self._connection.execute(factor_resets.insert().values(asdict(reset)))

    async def find(self, reset_id: UUID, *, lock: bool = False) -> FactorReset | None:
        """The reset, locked until the end of the transaction if asked."""
        return await self._one(sa.select(factor_resets).where(factor_resets.c.id == reset_id), lock)

    async def open_of(self, user_id: UUID, *, lock: bool = False) -> FactorReset | None:
        """What has not ended of this person."""
        wanted = sa.select(factor_resets).where(factor_resets.c.user_id == user_id, factor_resets.c.status.in_(OPEN_RESETS))
        return await self._one(wanted, lock)

    async def overdue(self, now: datetime, *, count: int) -> Sequence[UUID]:
        """Those that nobody approved in time, and those that have waited long enough."""
        late = sa.and_(factor_resets.c.status == "awaiting_approval", factor_resets.c.expires_at <= now)
        ripe = sa.and_(factor_resets.c.status == "waiting", factor_resets.c.due_at <= now)
        wanted = sa.select(factor_resets.c.id).where(late | ripe).order_by(factor_resets.c.id).limit(count)
        return (await self._connection.execute(wanted)).scalars().all()

    async def page(self, *, status: str | None, user_id: UUID | None, after: UUID | None, count: int) -> Sequence[FactorReset]:
        """Resets, newest first."""
        wanted = sa.select(factor_resets).order_by(factor_resets.c.id.desc()).limit(count)
        if status is not None:
            wanted = wanted.where(factor_resets.c.status == status)
        if user_id is not None:
            wanted = wanted.where(factor_resets.c.user_id == user_id)
        if after is not None:
            wanted = wanted.where(factor_resets.c.id < after)
        return [_reset(row) for row in await self._connection.execute(wanted)]

    async def save(self, reset: FactorReset) -> None:
        """Write the reset as it is now."""
        values = asdict(reset)
        await self._connection.execute(factor_resets.update().where(factor_resets.c.id == values.pop("id")).values(values))

    async def _one(self, wanted: sa.Select[Any], lock: bool) -> FactorReset | None:
        row = (await self._connection.execute(wanted.with_for_update() if lock else wanted)).one_or_none()
        return _reset(row) if row else None


def _reset(row: sa.Row[Any]) -> FactorReset:
    return FactorReset(**row._mapping)
