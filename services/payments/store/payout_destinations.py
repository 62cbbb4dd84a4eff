"""Saved payout destinations in PostgreSQL."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.payments.domain.payout_destination import PayoutDestination
from services.payments.store.tables import payout_destinations


class PayoutDestinations:
    """Saved destinations on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock(self, user_id: UUID) -> None:
        """Let nobody else add one for this person until the end of the transaction."""
        key = sa.func.hashtextextended(f"payout destinations {user_id}", 0)
        await self._connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))

    async def add(self, destination: PayoutDestination) -> None:
        """Insert a new one."""
        row = {column.name: getattr(destination, column.name) for column in payout_destinations.columns}
        await self._connection.execute(payout_destinations.insert().values(row))

    async def find_for(self, user_id: UUID, destination_id: UUID) -> PayoutDestination | None:
        """The destination, if it is the user's."""
        table = payout_destinations
        query = sa.select(table).where(table.c.id == destination_id, table.c.user_id == user_id)
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return PayoutDestination(**row) if row is not None else None

    async def of_user(
        self, user_id: UUID, after: UUID | None = None, limit: int | None = None, *, provider: str | None = None
    ) -> Sequence[PayoutDestination]:
        """The user's destinations (with `provider`: its only), newest first, from the one after `after` on."""
        table = payout_destinations
        query = sa.select(table).where(table.c.user_id == user_id)
        if after is not None:
            query = query.where(table.c.id < after)
        if provider is not None:
            query = query.where(table.c.provider == provider)
        rows = await self._connection.execute(query.order_by(table.c.id.desc()).limit(limit))
        return [PayoutDestination(**row) for row in rows.mappings()]

    async def remove(self, user_id: UUID, destination_id: UUID) -> PayoutDestination | None:
        """Delete the user's destination; what it was, or None without it."""
        table = payout_destinations
        removal = table.delete().where(table.c.id == destination_id, table.c.user_id == user_id).returning(*table.c)
        row = (await self._connection.execute(removal)).mappings().one_or_none()
        return PayoutDestination(**row) if row is not None else None
