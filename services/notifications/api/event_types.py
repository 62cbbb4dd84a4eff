"""The catalogue of events that people are told about."""

from inspect import getdoc

from fastapi import APIRouter
from pydantic import Field

from services.notifications.domain.announcements import ANNOUNCED_EVENTS, ANNOUNCEMENTS, Channel
from shared.http.paging import Page
from shared.http.schemas import View
from shared.messaging.envelope import Event

router = APIRouter(prefix="/v1/event-types", tags=["Notifications"])


class EventTypeView(View):
    """One type of event."""

    type: str = Field(examples=["lending.loan.disbursed"])
    version: int
    description: str
    roles: list[str] = Field(description="Who in the event is told")
    channels: list[Channel] = Field(description="How they are told")


def _view(event: type[Event]) -> EventTypeView:
    told = [one for one in ANNOUNCEMENTS if one.event is event]
    return EventTypeView(
        type=event.type,
        version=event.version,
        description=" ".join((getdoc(event) or "").split()),
        roles=sorted({one.role for one in told}),
        channels=sorted({channel for one in told for channel in one.channels}),
    )


_CATALOGUE: Page[EventTypeView] = Page(
    items=[_view(event) for event in sorted(ANNOUNCED_EVENTS, key=lambda event: event.type)], next_cursor=None
)


@router.get("")
async def list_event_types() -> Page[EventTypeView]:
    """Every type of event that people are told about, by name. Needs no login."""
    return _CATALOGUE
