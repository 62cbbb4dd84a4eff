"""The record of who did what."""

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime

from services.auth.api.callers import AdminCaller
from services.auth.api.origin import RequestOrigin
from services.auth.commands.export_audit_log import note_audit_export
from services.auth.context import Ctx
from services.auth.domain.audit import ChainedEntry
from services.auth.queries.audit_log import all_audit_entries, list_audit_entries
from services.auth.store.audit_log import AuditFilter
from shared.http.paging import Page, Paging
from shared.http.schemas import Instant, View

router = APIRouter(prefix="/v1/admin/audit-log", tags=["audit"])


class AuditEntryView(View):
    """One thing that was done, in its place in the chain."""

    id: UUID
    position: int
    happened_at: Instant
    service: str
    action: str
    actor_kind: str
    actor_id: UUID | None
    subject_kind: str
    subject_id: str | None
    address: str | None
    request_id: str | None
    trace_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    previous_hash: str
    hash: str

    @classmethod
    def of(cls, link: ChainedEntry) -> "AuditEntryView":
        """The entry as JSON, hashes as hex digits."""
        values = dict(vars(link.entry))
        return cls(**values, position=link.position, previous_hash=link.previous_hash.hex(), hash=link.hash.hex())


async def _filter(
    service: Annotated[str | None, Query(max_length=64, description="In which it happened, such as `lending`")] = None,
    action: Annotated[str | None, Query(max_length=64, description="Such as `kyc.approved`")] = None,
    actor_id: Annotated[UUID | None, Query(description="Who did it")] = None,
    subject_kind: Annotated[str | None, Query(max_length=64, description="Such as `loan`")] = None,
    subject_id: Annotated[str | None, Query(max_length=200, description="What it was done to")] = None,
    request_id: Annotated[str | None, Query(max_length=200, description="`X-Request-Id` of the request that did it")] = None,
    since: Annotated[AwareDatetime | None, Query(alias="from", description="Not before this instant")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to", description="Before this instant")] = None,
) -> AuditFilter:
    return AuditFilter(service, action, actor_id, subject_kind, subject_id, request_id, since, until)


Wanted = Annotated[AuditFilter, Depends(_filter)]


@router.get("")
async def list_audit_log(context: Ctx, caller: AdminCaller, paging: Paging, wanted: Wanted) -> Page[AuditEntryView]:
    """Every security and operator action of every service, the last that was recorded first. Needs the role `admin`.

    Nothing here can be changed or taken away: each entry holds the hash of the one before, and `lendery verify` checks that.
    """
    return paging.page(await list_audit_entries(context, paging, wanted), lambda link: link.entry.id, AuditEntryView.of)


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {}, "application/x-ndjson": {}}, "description": "The entries, oldest first"}},
)
async def export_audit_log(
    context: Ctx,
    caller: AdminCaller,
    origin: RequestOrigin,
    wanted: Wanted,
    format: Annotated[Literal["csv", "ndjson"], Query(description="A table, or a JSON object a line")] = "ndjson",  # noqa: A002
) -> StreamingResponse:
    """All entries that fit, oldest first, as a file. Needs the role `admin`; that it was exported is recorded too."""
    await note_audit_export(context, caller.id, origin, wanted, format)
    lines = _csv(context, wanted) if format == "csv" else _ndjson(context, wanted)
    media_type = "text/csv" if format == "csv" else "application/x-ndjson"
    name = f'attachment; filename="audit-log.{format}"'
    return StreamingResponse(lines, media_type=media_type, headers={"Content-Disposition": name})


async def _ndjson(context: Ctx, wanted: AuditFilter) -> AsyncIterator[str]:
    async for link in all_audit_entries(context, wanted):
        yield AuditEntryView.of(link).model_dump_json() + "\n"


async def _csv(context: Ctx, wanted: AuditFilter) -> AsyncIterator[str]:
    names = list(AuditEntryView.model_fields)
    yield _line(names)
    async for link in all_audit_entries(context, wanted):
        row = AuditEntryView.of(link).model_dump(mode="json")
        yield _line([_cell(row[name]) for name in names])


def _cell(value: Any) -> str:
    """Text that a spreadsheet does not take for a formula."""
    text = "" if value is None else json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
    return f"'{text}" if text and text[0] in "=+-@\t\r" else text


def _line(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
