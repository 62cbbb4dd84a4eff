"""Settlement files of providers, uploaded by operators and compared with our books."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from services.payments.api.deposits import ProviderName
from services.payments.api.reconciliation import CalendarDay, ReconciliationCountsView, counts_view
from services.payments.commands import import_settlement_file as importing
from services.payments.context import Ctx
from services.payments.domain.settlement_file import COLUMNS
from services.payments.queries.reconciliations import files_of
from services.payments.store.reconciliations import Run
from services.payments.store.settlement_files import SettlementFile
from shared.http.auth import Admin, Support
from shared.http.paging import Page, Paging
from shared.http.schemas import Instant, View

router = APIRouter(prefix="/v1/admin/reconciliation/files", tags=["admin"])

_EXAMPLE = f"{','.join(COLUMNS)}\nT-1001,payment,dep_01980a2e7c3b7b1e9c552f6d0e1b4a77,12500,125,KES,2026-01-31T09:30:00Z\n"
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"text/csv": {"schema": {"type": "string"}, "example": _EXAMPLE}},
    }
}


class SettlementFileView(View):
    """An uploaded file."""

    id: UUID
    provider: str = Field(examples=["sandbox"])
    first_day: CalendarDay
    last_day: CalendarDay
    sha256: str = Field(description="Of its bytes, hexadecimal", examples=["9f86d081884c7d659a2feaa0c55ad015" * 2])
    bytes: int = Field(examples=[18_204])
    rows: int = Field(examples=[212])
    duplicates: int = Field(description="Rows that came twice and were left out", examples=[0])
    uploaded_by: UUID
    uploaded_at: Instant


class ComparedDayView(View):
    """What comparing one day came to. The lists: GET /v1/admin/reconciliation?provider=&date=."""

    date: CalendarDay
    run_id: UUID = Field(description="GET /v1/admin/reconciliation/{run_id}/items lists each verdict whole")
    balanced: bool = Field(description="Nothing is missing, surplus or of another amount")
    counts: ReconciliationCountsView


class ComparedFileView(SettlementFileView):
    """An uploaded file, and how its days compare with our books."""

    days: list[ComparedDayView]


@router.post(
    "",
    status_code=201,
    openapi_extra=_BODY,
    responses={200: {"model": ComparedFileView, "description": "It was taken before, and how its days stand now"}},
)
async def upload_settlement_file(
    context: Ctx,
    user: Admin,
    request: Request,
    response: Response,
    provider: Annotated[ProviderName, Query()],
    first_day: Annotated[
        date, Query(alias="from", description="The first day (UTC) for which it speaks", examples=["2026-01-31"])
    ],
    last_day: Annotated[date, Query(alias="to", description="The last one", examples=["2026-01-31"])],
) -> ComparedFileView:
    """Compare what a provider settled, as a CSV file, with our books.

    The first line names the columns `row_id, kind, reference, amount_minor, fee_minor, currency, settled_at`, in any order.
    `kind` is `payment` or `payout`, `reference` ours of the order; amounts are integers of minor units; `settled_at` is RFC 3339
    with an offset, or a day. A file speaks for the whole of its days, at most 31: what it does not name was not settled on
    them, and is `missing` if we booked it. At most 16 MiB and 100,000 rows. With a line that cannot be read nothing is taken: 422
    `settlement_file_refused` names the lines. The same file for the same days again changes nothing.
    """
    order = importing.FileOrder(provider, first_day, last_day, user.user_id)
    imported = await importing.import_settlement_file(context, order, request.stream())
    response.status_code = 201 if imported.is_new else 200
    return _compared(imported.file, imported.runs)


@router.get("")
async def list_settlement_files(
    context: Ctx, _: Support, paging: Paging, provider: Annotated[ProviderName | None, Query()] = None
) -> Page[SettlementFileView]:
    """The files that were taken, newest first."""
    found = await files_of(context, provider, paging.after, paging.fetch)
    return paging.page(found, lambda file: file.id, lambda file: SettlementFileView(**_fields(file)))


def _compared(file: SettlementFile, runs: Sequence[Run]) -> ComparedFileView:
    days = [ComparedDayView(date=run.day, run_id=run.id, balanced=run.balanced, counts=counts_view(run.counts)) for run in runs]
    return ComparedFileView(**_fields(file), days=days)


def _fields(file: SettlementFile) -> dict[str, Any]:
    return {
        "id": file.id,
        "provider": file.provider,
        "first_day": file.first_day,
        "last_day": file.last_day,
        "sha256": file.sha256.hex(),
        "bytes": file.byte_count,
        "rows": file.row_count,
        "duplicates": file.duplicate_count,
        "uploaded_by": file.uploaded_by,
        "uploaded_at": file.uploaded_at,
    }
