"""Release the holds whose deadline has passed. Whoever posts or voids one first wins; the other is told."""

import asyncio
import hashlib
from datetime import datetime
from uuid import UUID

from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.entries import ExpireHold
from services.wallet_ledger.domain.transaction import Transaction
from services.wallet_ledger.store.holds import due_holds
from shared.ids import derived_id

SCOPE, KIND = "wallet_ledger", "hold.expiry"
_HOLDS_AT_ONCE = 500


async def expire_holds(context: Context) -> None:
    """Expire every hold that is due, some hundred at a time."""
    while True:
        async with context.read() as connection:
            now = context.clock.now()
            due = await due_holds(connection, now, _HOLDS_AT_ONCE)
        await asyncio.gather(*(context.poster.post(_expiry(hold_id, reference, now)) for hold_id, reference in due))
        if len(due) < _HOLDS_AT_ONCE:
            return


def _expiry(hold_id: UUID, reference: str | None, now: datetime) -> Transaction:
    """A new key for each sweep: a try that failed because a clock was set back must not be the last."""
    return Transaction(
        id=derived_id("hold expiry", hold_id, now.isoformat()),
        scope=SCOPE,
        idempotency_key=f"hold-expiry:{hold_id}:{now.isoformat()}",
        fingerprint=hashlib.sha256(hold_id.bytes).digest(),
        kind=KIND,
        entries=(ExpireHold(hold_id),),
        reference=reference,
    )
