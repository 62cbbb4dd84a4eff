"""Keep what another service did in the audit log."""

from services.auth.context import Context
from services.auth.domain.audit import AuditEntry
from shared.contracts.auth.audit_events import ActionTaken
from shared.messaging.consumer import Delivery


async def append_action(context: Context, delivery: Delivery[ActionTaken]) -> None:
    """Append what was reported, once. What auth itself does is appended in the transaction that does it."""
    async with context.unit_of_work(delivery) as work:
        work.audit_reported(AuditEntry.of(delivery.message))
