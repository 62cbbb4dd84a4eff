"""Reads of the audit log."""

from collections.abc import Sequence
from uuid import UUID

from services.auth.context import Context
from services.auth.domain.audit import AuditEntry
from services.auth.store.audit_log import AuditLog
from shared.http.paging import PageRequest


async def list_audit_entries(
    context: Context, page: PageRequest, *, action: str | None, actor_id: UUID | None, subject_id: UUID | None
) -> Sequence[AuditEntry]:
    """Entries, newest first; one more than the page holds."""
    async with context.read() as connection:
        return await AuditLog(connection).page(
            after=page.after, count=page.fetch, action=action, actor_id=actor_id, subject_id=subject_id
        )
