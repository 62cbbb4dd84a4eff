"""Close of business."""

import datetime

from fastapi import APIRouter
from pydantic import Field

from services.lending.api.quotes import CalendarDate
from services.lending.commands import close_business as command
from services.lending.context import Ctx
from services.lending.queries.business_days import get_business_calendar
from shared.http.auth import Admin
from shared.http.schemas import Body, View

router = APIRouter(prefix="/v1/admin/close-of-business", tags=["Operations"])


class CloseRequest(Body):
    """Up to which business date."""

    date: CalendarDate


class ClosedDayView(View):
    """A date that was closed, and how much of what happened on it."""

    business_date: datetime.date
    counts: dict[str, int]


class CloseView(View):
    """What this run did. Dates that were closed before are not done again, and not listed."""

    date: datetime.date
    status: str = Field(description="completed: every date up to this one is closed")
    days_closed: int
    days: list[ClosedDayView] = Field(description="Those on which something happened")


class CalendarView(View):
    """The platform's business calendar."""

    today: datetime.date = Field(description="The business date that work done now belongs to")
    last_closed: datetime.date | None
    simulation: bool = Field(description="Whether dates later than today may be closed")


@router.post("")
async def close_business(context: Ctx, principal: Admin, body: CloseRequest) -> CloseView:
    """Run everything that is due up to a business date, each date once and in order: installments that fall due, late fees,
    arrears, funding rounds that end. Asking again does nothing again. A date later than today needs a simulation."""
    closed = await command.close_business(context, body.date, principal)
    busy = [ClosedDayView.model_validate(day) for day in closed if day.counts]
    return CloseView(date=body.date, status="completed", days_closed=len(closed), days=busy)


@router.get("")
async def get_calendar(context: Ctx, principal: Admin) -> CalendarView:
    """How far business has been closed."""
    return CalendarView.model_validate(await get_business_calendar(context))
