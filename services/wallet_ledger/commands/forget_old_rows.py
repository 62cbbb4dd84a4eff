"""Forget messages that were sent or handled long ago, and old keys of operators' requests. The ledger itself forgets nothing."""

from services.wallet_ledger.context import Context
from shared.idempotency.store import forget_old_keys
from shared.messaging.purge import purge_messages

_LIMIT = 10_000


async def forget_old_rows(context: Context) -> None:
    """Delete old keys, and old rows of outbox and inbox, some at a time, until none is left."""
    async with context.unit_of_work() as work:
        await forget_old_keys(work.connection)
    while True:
        async with context.unit_of_work() as work:
            deleted = await purge_messages(work.connection, work.now, limit=_LIMIT)
        if deleted < _LIMIT:
            return
