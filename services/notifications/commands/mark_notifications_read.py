"""Mark entries of the caller's feed as read."""

from collections.abc import Collection
from uuid import UUID

from services.notifications.context import Context
from services.notifications.domain.problems import NotificationNotFound


async def mark_notifications_read(context: Context, user_id: UUID, ids: Collection[UUID] | None) -> int:
    """Mark `ids`, or with None all, as read; how many were unread. What is read already stays as it is.

    Raises `NotificationNotFound`, and marks nothing, when one of `ids` is not in the person's feed.
    """
    async with context.unit_of_work() as work:
        if ids is not None:
            missing = set(ids) - await work.notifications.lock(user_id, ids)
            if missing:
                raise NotificationNotFound(f"Nothing was marked: {min(missing)} is not in your feed.")
        return await work.notifications.mark_read(user_id, ids, work.now)
