"""Forget messages and idempotency keys that nobody can ask for any more."""

from services.lending.context import Context
from shared.idempotency.store import forget_old_keys
from shared.messaging.purge import purge_messages

_BATCH = 5_000


async def forget_old_rows(context: Context) -> None:
    """Delete old rows, a bounded number a transaction."""
    deleted = _BATCH
    while deleted >= _BATCH:
        async with context.unit_of_work() as work:
            await forget_old_keys(work.connection)
            deleted = await purge_messages(work.connection, work.now, limit=_BATCH)
