"""Note that the audit log was taken out."""

from dataclasses import asdict
from uuid import UUID

from services.auth.context import Context
from services.auth.domain.origin import Origin
from services.auth.store.audit_log import AuditFilter


async def note_audit_export(context: Context, admin_id: UUID, origin: Origin, wanted: AuditFilter, file_format: str) -> None:
    """Record who exports which entries, before the first of them is sent."""
    chosen = {name: str(value) for name, value in asdict(wanted).items() if value is not None}
    async with context.unit_of_work() as work:
        await work.audit(
            "audit_log.exported",
            origin=origin,
            actor_id=admin_id,
            subject_id=None,
            after={"format": file_format, "filter": chosen},
        )
