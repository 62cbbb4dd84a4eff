"""Statements of wallets, to be read by programs, spreadsheets and people."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import Field

from services.wallet_ledger.api.statement_csv import statement_csv
from services.wallet_ledger.api.wallets import EntryView, entry_view
from services.wallet_ledger.context import Context, Ctx
from services.wallet_ledger.domain.journal import Entry
from services.wallet_ledger.queries.statements import Statement, statement_entries, statement_of
from services.wallet_ledger.queries.wallets import By, wallet_of
from shared.http.auth import CurrentUser
from shared.http.schemas import View
from shared.problems import FieldError, InvalidRequest

router = APIRouter(prefix="/v1/wallets", tags=["wallets"])

_LONGEST_STATEMENT = timedelta(days=366)
_MOST_ENTRIES = {"json": 10_000, "pdf": 3_000}
_FIRST_YEAR, _LAST_YEAR = 1900, 2999


class StatementView(View):
    """A wallet over some days of UTC, both included."""

    wallet_id: UUID
    currency: str
    from_: date = Field(alias="from", serialization_alias="from")
    to: date
    by: By = Field(description="By which date entries are in it: that of their booking, or that for which they count")
    opening_balance: int
    total_in: int
    total_out: int
    closing_balance: int
    entries: list[EntryView] = Field(description="Oldest first")


@router.get(
    "/{wallet_id}/statement",
    response_model=StatementView,
    responses={200: {"content": {"text/csv": {}, "application/pdf": {}}}},
)
async def get_statement(
    context: Ctx,
    user: CurrentUser,
    wallet_id: UUID,
    from_day: Annotated[
        date | None, Query(alias="from", description="First day, in UTC; without it the first of the month of the last day")
    ] = None,
    to_day: Annotated[date | None, Query(alias="to", description="Last day, in UTC; today when it is left out")] = None,
    by: Annotated[
        By,
        Query(
            description="booked: entries by the day on which they were booked; effective: by the day for which they count, so"
            " that a correction booked today for last month is in last month's statement"
        ),
    ] = "booked",
    format: Annotated[  # noqa: A002
        Literal["json", "csv", "pdf"],
        Query(description="json has at most 10,000 entries, pdf at most 3,000, csv as many as there are"),
    ] = "json",
) -> Response:
    """A statement over at most 366 days: what there was, what came and went, what there is. Without dates: this month so far."""
    to_day = to_day or context.clock.now().date()
    from_day = from_day or to_day.replace(day=1)
    _check_days(from_day, to_day)
    wallet = await wallet_of(context, user.user_id, wallet_id)
    statement = await statement_of(context, wallet, from_day, to_day, by)
    if format == "csv":
        return StreamingResponse(
            statement_csv(context, statement),
            media_type="text/csv; charset=utf-8",
            headers=_download(statement, "csv"),
        )
    entries = await _entries(context, statement, format)
    if format == "pdf":
        # Some seconds of work for a long one: in a thread, so that others are answered meanwhile.
        pages = await asyncio.to_thread(_pdf, statement, entries, context.clock.now())
        return Response(pages, media_type="application/pdf", headers=_download(statement, "pdf"))
    return Response(_view(statement, entries).model_dump_json(by_alias=True), media_type="application/json")


async def _entries(context: Context, statement: Statement, kind: Literal["json", "pdf"]) -> list[Entry]:
    entries: list[Entry] = []
    async for entry in statement_entries(context, statement):
        if len(entries) == _MOST_ENTRIES[kind]:
            raise InvalidRequest(
                f"There are more than {_MOST_ENTRIES[kind]} entries. Ask for fewer days, or for format=csv.",
                errors=[FieldError("to", f"too many entries for {kind.upper()}")],
            )
        entries.append(entry)
    return entries


def _pdf(statement: Statement, entries: list[Entry], made_at: datetime) -> bytes:
    # Imported when the first one is asked for: the library takes as long to load as the rest of the service.
    from services.wallet_ledger.api.statement_pdf import statement_pdf

    return statement_pdf(statement, entries, made_at)


def _view(statement: Statement, entries: list[Entry]) -> StatementView:
    return StatementView.model_validate(
        {
            "wallet_id": statement.wallet.id,
            "currency": statement.wallet.currency,
            "from": statement.from_day,
            "to": statement.to_day,
            "by": statement.by,
            "opening_balance": statement.opening_minor,
            "total_in": sum(entry.amount_minor for entry in entries if entry.direction == "credit"),
            "total_out": sum(entry.amount_minor for entry in entries if entry.direction == "debit"),
            "closing_balance": statement.closing_minor,
            "entries": [entry_view(entry) for entry in entries],
        }
    )


def _check_days(from_day: date, to_day: date) -> None:
    if from_day.year < _FIRST_YEAR:
        raise InvalidRequest("That is too long ago.", errors=[FieldError("from", f"must be after the year {_FIRST_YEAR - 1}")])
    if to_day.year > _LAST_YEAR:
        raise InvalidRequest("That is too far away.", errors=[FieldError("to", f"must be before the year {_LAST_YEAR + 1}")])
    if to_day < from_day:
        raise InvalidRequest("The last day is before the first.", errors=[FieldError("to", "must not be before from")])
    if to_day - from_day > _LONGEST_STATEMENT:
        raise InvalidRequest("Ask for at most 366 days.", errors=[FieldError("to", "more than 366 days after from")])


def _download(statement: Statement, extension: str) -> dict[str, str]:
    name = f"statement-{statement.wallet.currency}-{statement.from_day}-{statement.to_day}.{extension}"
    return {"Content-Disposition": f'attachment; filename="{name}"'}
