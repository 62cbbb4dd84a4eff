"""Forgetting: rows that were published, and inbox entries that no redelivery can reach any more."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

KEEP_PUBLISHED = timedelta(days=7)
# A message can come again as long as a broker keeps it or an operator may restore a backup of it; a month is far beyond.
KEEP_HANDLED = timedelta(days=35)
KEEP_DECIDED = timedelta(days=90)

_PUBLISHED = """
DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE published_at < $1 ORDER BY id LIMIT $2)
"""
_HANDLED = """
DELETE FROM inbox WHERE (consumer, message_id) IN (
    SELECT consumer, message_id FROM inbox WHERE handled_at < $1 ORDER BY handled_at LIMIT $2
)
"""
_DECIDED = """
DELETE FROM dead_letters WHERE id IN (
    SELECT id FROM dead_letters WHERE status <> 'dead' AND last_failed_at < $1 ORDER BY id LIMIT $2
)
"""


async def purge_messages(connection: AsyncConnection, now: datetime, *, limit: int = 10_000) -> int:
    """Delete at most `limit` old rows of each messaging table in `connection`'s transaction; the number deleted.

    For a service's jobs: run it every few minutes, again at once while it returns a multiple of `limit`.
    """
    deleted = 0
    for statement, keep in ((_PUBLISHED, KEEP_PUBLISHED), (_HANDLED, KEEP_HANDLED), (_DECIDED, KEEP_DECIDED)):
        result = await connection.exec_driver_sql(statement, (now - keep, limit))
        deleted += result.rowcount
    return deleted
