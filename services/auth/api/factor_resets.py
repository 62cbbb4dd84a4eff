"""Second factors that are all lost: operators reset them together, and the owner can stop it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from services.auth.api.callers import Caller, SteppedUpAdmin, SteppedUpSupport, SupportCaller
from services.auth.api.fields import Secret
from services.auth.api.origin import RequestOrigin
from services.auth.commands import decide_factor_reset as deciding
from services.auth.commands import request_factor_reset as requesting
from services.auth.commands import stop_factor_reset as stopping
from services.auth.context import Ctx
from services.auth.domain.factor_reset import ResetStatus
from services.auth.queries import factor_resets as queries
from shared.http.paging import Page, Paging
from shared.http.schemas import Body, Instant, LongText, View

_operators = APIRouter(prefix="/v1/admin/factor-resets", tags=["users"])
_own = APIRouter(prefix="/v1/auth/factor-reset", tags=["second factors"])


class OwnFactorResetView(View):
    """A reset of your second factors that operators are about to do."""

    status: ResetStatus
    requested_at: Instant
    due_at: Instant | None = Field(description="When it will be done unless it is stopped; null until it is approved")


class FactorResetView(OwnFactorResetView):
    """What one operator asked for, what another one decided, and what became of it."""

    id: UUID
    user_id: UUID = Field(description="Whose second factors")
    reason: str
    requested_by: UUID
    expires_at: Instant = Field(description="When it is void unless somebody has approved it")
    approved_by: UUID | None
    approved_at: Instant | None
    ended_by: UUID | None = Field(description="Who declined it, or the owner who stopped it")
    ended_at: Instant | None
    end_reason: str | None


class RequestFactorResetBody(Body):
    """Whose, and why."""

    user_id: UUID
    reason: Annotated[LongText, Field(examples=["Phone lost, no recovery codes; identity checked in a video call."])]


class DeclineFactorResetBody(Body):
    """Why, for the record."""

    reason: LongText | None = None


class StopFactorResetBody(Body):
    """The secret from the link."""

    token: Secret


@_operators.post("", status_code=201)
async def request_factor_reset(
    body: RequestFactorResetBody, context: Ctx, caller: SteppedUpSupport, origin: RequestOrigin
) -> FactorResetView:
    """Ask to end every second factor, passkey and recovery code of a person who has lost them all. Check who it is first.

    An administrator approves it, and then the person has time to stop it (a day, unless configured otherwise); they are
    written to each time. Needs the role `support` or `admin`, and a fresh proof of who you are.
    """
    reset = await requesting.request_factor_reset(context, caller.id, body.user_id, body.reason, origin)
    return FactorResetView.model_validate(reset)


@_operators.get("")
async def list_factor_resets(
    context: Ctx,
    caller: SupportCaller,
    paging: Paging,
    status: Annotated[ResetStatus | None, Query(description="Only these")] = None,
    user_id: Annotated[UUID | None, Query(description="Only of this person")] = None,
) -> Page[FactorResetView]:
    """Resets, newest first. Needs the role `support` or `admin`."""
    rows = await queries.list_factor_resets(context, paging, status=status, user_id=user_id)
    return paging.page(rows, lambda reset: reset.id, FactorResetView.model_validate)


@_operators.get("/{reset_id}")
async def get_factor_reset(reset_id: UUID, context: Ctx, caller: SupportCaller) -> FactorResetView:
    """A reset. Needs the role `support` or `admin`."""
    return FactorResetView.model_validate(await queries.find_factor_reset(context, reset_id))


@_operators.post("/{reset_id}/approve")
async def approve_factor_reset(reset_id: UUID, context: Ctx, caller: SteppedUpAdmin, origin: RequestOrigin) -> FactorResetView:
    """Agree; it is done at `due_at` unless it is stopped. Neither who asked for it nor whose account it is can.

    Then everything that was a second factor is gone and every session ends. The person logs in with the password and a code by
    e-mail, and sets factors up anew. Needs the role `admin`, and a fresh proof of who you are.
    """
    return FactorResetView.model_validate(await deciding.approve_factor_reset(context, caller.id, reset_id, origin))


@_operators.post("/{reset_id}/decline")
async def decline_factor_reset(
    reset_id: UUID, context: Ctx, caller: SupportCaller, origin: RequestOrigin, body: DeclineFactorResetBody | None = None
) -> FactorResetView:
    """Refuse it or take it back, also one that was approved and waits. Needs the role `support` or `admin`."""
    reason = body.reason if body else None
    return FactorResetView.model_validate(await deciding.decline_factor_reset(context, caller.id, reset_id, reason, origin))


@_own.get("")
async def get_own_factor_reset(context: Ctx, caller: Caller) -> OwnFactorResetView:
    """Whether operators are about to reset your second factors. 404 where nobody has asked for it."""
    return OwnFactorResetView.model_validate(await queries.own_factor_reset(context, caller.id))


@_own.delete("", status_code=204)
async def stop_own_factor_reset(context: Ctx, caller: Caller, origin: RequestOrigin) -> None:
    """Stop it. Logging in with a second factor stops it, too."""
    await stopping.stop_logged_in(context, caller.id, origin)


@_own.post("/stop", status_code=204)
async def stop_factor_reset(body: StopFactorResetBody, context: Ctx, origin: RequestOrigin) -> None:
    """Stop it with the secret from the link that was sent to you, without logging in."""
    await stopping.stop_with_link(context, body.token.get_secret_value(), origin)


router = APIRouter()
router.include_router(_operators)
router.include_router(_own)
