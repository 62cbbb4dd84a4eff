"""The in-app feed over HTTP."""

from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field, StrictBool, model_validator

from services.notifications.commands.mark_notifications_read import mark_notifications_read
from services.notifications.context import Ctx
from services.notifications.domain.notification import Notification
from services.notifications.queries import notifications as queries
from shared.http.auth import CurrentUser
from shared.http.paging import Page, Paging
from shared.http.schemas import Body, Instant, View

router = APIRouter(prefix="/v1/notifications", tags=["Notifications"])

_MOST_IDS = 200


class NotificationView(View):
    """One thing that you were told."""

    id: UUID
    type: str = Field(description="The event that it is about; see GET /v1/event-types", examples=["lending.loan.disbursed"])
    title: str = Field(examples=["KES 49,000.00 of your loan is in your wallet"])
    body: str
    data: dict[str, Any] = Field(
        description="For programs: your `role` in the event, the `path` of the page that shows more, ids, and an `amount` of "
        "minor units with its `currency` where there is one",
        examples=[
            {"role": "borrower", "path": "/loans/0199d3a2-7f00-7000-8000-000000000001", "amount": 5000000, "currency": "KES"}
        ],
    )
    read_at: Instant | None = Field(description="When you marked it as read; null while it is unread")
    created_at: Instant


class MarkReadBody(Body):
    """Either some notifications, or all."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ids": ["0199d3a2-7f00-7000-8000-000000000002"]}, {"all": True}]})

    ids: Annotated[list[UUID], Field(min_length=1, max_length=_MOST_IDS)] | None = None
    all: Annotated[StrictBool | None, Field(description="true, or leave it out")] = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.all is False or (self.ids is None) == (self.all is None):
            raise ValueError("send either ids or all: true")
        return self


class MarkedView(View):
    """What marking did."""

    marked: int = Field(description="How many were unread until now")
    unread_count: int = Field(description="How many are unread now")


class UnreadCountView(View):
    """For the number on the bell."""

    unread_count: int


def _view(notification: Notification) -> NotificationView:
    return NotificationView.model_validate(notification)


@router.get("")
async def list_notifications(
    context: Ctx,
    user: CurrentUser,
    page: Paging,
    unread: Annotated[bool | None, Query(description="true: only unread ones; false: only read ones")] = None,
) -> Page[NotificationView]:
    """What you were told, newest first."""
    async with context.read() as connection:
        rows = await queries.list_notifications(connection, user.user_id, page, unread=unread)
    return page.page(rows, lambda row: row.id, _view)


@router.post("/read")
async def mark_read(context: Ctx, user: CurrentUser, body: MarkReadBody) -> MarkedView:
    """Mark notifications as read. If one of `ids` is not yours, none is marked and the answer is 404."""
    marked = await mark_notifications_read(context, user.user_id, body.ids)
    async with context.read() as connection:
        return MarkedView(marked=marked, unread_count=await queries.count_unread(connection, user.user_id))


@router.get("/unread-count")
async def count_unread_notifications(context: Ctx, user: CurrentUser) -> UnreadCountView:
    """How many notifications you have not read."""
    async with context.read() as connection:
        return UnreadCountView(unread_count=await queries.count_unread(connection, user.user_id))
