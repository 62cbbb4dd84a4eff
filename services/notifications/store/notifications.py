"""The in-app feed."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.domain.notification import Notification
from services.notifications.store.tables import notifications


class Notifications:
    """Feed entries, on the connection of a unit of work."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, notification: Notification) -> None:
        """Put an entry into the feed, unless that person was told about that event before."""
        await self._connection.execute(insert(notifications).values(**vars(notification)).on_conflict_do_nothing())

    async def lock(self, user_id: UUID, ids: Collection[UUID]) -> set[UUID]:
        """Those of `ids` that are in the person's feed, locked in one order until the transaction ends."""
        found = await self._connection.execute(
            sa.select(notifications.c.id)
            .where(notifications.c.user_id == user_id, notifications.c.id.in_(ids))
            .order_by(notifications.c.id)
            .with_for_update()
        )
        return set(found.scalars())

    async def mark_read(self, user_id: UUID, ids: Collection[UUID] | None, at: datetime) -> int:
        """Mark the unread ones of `ids` (None: of all) as read; how many there were."""
        unread = sa.and_(notifications.c.user_id == user_id, notifications.c.read_at.is_(None))
        if ids is not None:
            unread = sa.and_(unread, notifications.c.id.in_(ids))
        result = await self._connection.execute(sa.update(notifications).where(unread).values(read_at=at))
        return result.rowcount
