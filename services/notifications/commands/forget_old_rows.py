"""Keep the tables small, and people's letters no longer than needed."""

from datetime import timedelta

from services.notifications.context import Context
from shared.messaging.purge import purge_messages

_KEEP_CONTENT = timedelta(days=30)
_BATCH = 5_000


async def forget_old_rows(context: Context) -> None:
    """Drop the words of e-mails settled a month ago, and messages that are long done with."""
    while True:
        async with context.unit_of_work() as work:
            dropped = await work.emails.drop_content(work.now - _KEEP_CONTENT, limit=_BATCH)
            deleted = await work.texts.forget_before(work.now - _KEEP_CONTENT, limit=_BATCH)
            deleted += await purge_messages(work.connection, work.now, limit=_BATCH)
        if dropped < _BATCH and deleted < _BATCH:
            return
