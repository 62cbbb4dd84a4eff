"""Reads of a person's feed."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.domain.notification import Notification
from services.notifications.store.tables import notifications
from shared.http.paging import PageRequest


async def list_notifications(
    connection: AsyncConnection, user_id: UUID, page: PageRequest, *, unread: bool | None
) -> Sequence[Notification]:
    """Entries of a feed, newest first: all, only the unread ones, or only the others."""
    wanted = sa.select(notifications).where(notifications.c.user_id == user_id)
    if unread is not None:
        wanted = wanted.where(notifications.c.read_at.is_(None) if unread else notifications.c.read_at.is_not(None))
    if page.after is not None:
        wanted = wanted.where(notifications.c.id < page.after)
    rows = await connection.execute(wanted.order_by(notifications.c.id.desc()).limit(page.fetch))
    return [Notification(**row._mapping) for row in rows]


async def count_unread(connection: AsyncConnection, user_id: UUID) -> int:
    """How many entries of a feed are unread."""
    unread = sa.and_(notifications.c.user_id == user_id, notifications.c.read_at.is_(None))
    return (await connection.execute(sa.select(sa.func.count()).select_from(notifications).where(unread))).scalar_one()
