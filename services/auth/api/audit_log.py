"""The record of who did what."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from services.auth.api.callers import AdminCaller
from services.auth.context import Ctx
from services.auth.domain.audit import AuditEntry
from services.auth.queries.audit_log import list_audit_entries
from shared.http.paging import Page, Paging
from shared.http.schemas import Instant, View

router = APIRouter(prefix="/v1/admin/audit-log", tags=["audit"])


class AuditEntryView(View):
    """One thing that was done."""

    id: UUID
    happened_at: Instant
    service: str
    action: str
    actor_id: UUID | None
    subject_id: UUID | None
    address: str | None
    request_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@router.get("")
async def list_audit_log(
    context: Ctx,
    caller: AdminCaller,
    paging: Paging,
    action: Annotated[str | None, Query(max_length=64, description="Such as `kyc.approved`")] = None,
    actor_id: Annotated[UUID | None, Query(description="Who did it")] = None,
    subject_id: Annotated[UUID | None, Query(description="What it was done to")] = None,
) -> Page[AuditEntryView]:
    """What was done to accounts, sessions and identity checks, newest first. Needs the role `admin`."""
    rows = await list_audit_entries(context, paging, action=action, actor_id=actor_id, subject_id=subject_id)

    def view(entry: AuditEntry) -> AuditEntryView:
        return AuditEntryView.model_validate(entry)

    return paging.page(rows, lambda entry: entry.id, view)
