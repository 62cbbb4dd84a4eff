"""Forget what no retry can ask for any more: published messages, inbox entries, idempotency keys."""

from services.payments.context import Context
from shared.idempotency.store import forget_old_keys
from shared.messaging.purge import purge_messages


async def purge_records(context: Context) -> None:
    """Delete a batch of each."""
    async with context.unit_of_work() as work:
        await purge_messages(work.connection, work.now)
        await forget_old_keys(work.connection)
