"""Keep the tables small, and people's letters no longer than needed."""

from datetime import timedelta

from services.notifications.context import Context
from shared.messaging.purge import purge_messages

# Less than the ids of handled messages: an event that comes again finds one of the two, and is not told twice.
KEEP_LETTERS = timedelta(days=30)
_BATCH = 5_000


async def forget_old_rows(context: Context) -> None:
    """Delete e-mails and texts settled a month ago, and messages that are long done with."""
    while True:
        async with context.unit_of_work() as work:
            deleted = await work.emails.forget_before(work.now - KEEP_LETTERS, limit=_BATCH)
            deleted += await work.texts.forget_before(work.now - KEEP_LETTERS, limit=_BATCH)
            deleted += await purge_messages(work.connection, work.now, limit=_BATCH)
        if deleted < _BATCH:
            return
