"""Where a person is logged in."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from services.auth.api.callers import Caller
from services.auth.api.origin import RequestOrigin
from services.auth.commands import end_session as ending
from services.auth.context import Ctx
from services.auth.domain.device import device_name
from services.auth.domain.session import Session
from services.auth.queries import sessions as queries
from shared.http.paging import Page, Paging
from shared.http.schemas import Instant, View
from shared.identity.cookies import Carrier

router = APIRouter(prefix="/v1/auth/sessions", tags=["sessions"])


class SessionView(View):
    """A login on one device."""

    id: UUID
    device: str = Field(description="What the client's software calls itself")
    device_name: str = Field(description="The same for people, guessed from it", examples=["Firefox on Linux"])
    address: str = Field(description="Network address of the last use")
    place: str = Field(description="Where that was, as far as it is known")
    place_from: Literal["address"] = Field(
        "address", description="What the place was told from: `address` means that no more than the address is known"
    )
    carrier: Carrier = Field(description="Whether the client holds tokens itself, or a browser holds cookies")
    current: bool = Field(description="Whether this request came in this session")
    authenticated_at: Instant
    last_used_at: Instant
    expires_at: Instant


@router.get("")
async def list_sessions(context: Ctx, caller: Caller, paging: Paging) -> Page[SessionView]:
    """Your sessions that can still be used, newest first."""

    def view(session: Session) -> SessionView:
        return SessionView(
            id=session.id,
            device=session.device,
            device_name=device_name(session.device),
            address=session.address,
            place=session.address,
            carrier=session.carrier,
            current=session.id == caller.session_id,
            authenticated_at=session.authenticated_at,
            last_used_at=session.last_used_at,
            expires_at=session.expires_at,
        )

    rows = await queries.list_sessions(context, paging, caller.id)
    return paging.page(rows, lambda session: session.id, view)


@router.delete("/{session_id}", status_code=204)
async def end_session(session_id: UUID, context: Ctx, caller: Caller, origin: RequestOrigin) -> None:
    """Log a device out: its refresh token stops working now, its access token within two seconds."""
    reason: ending.EndReason = "logout" if session_id == caller.session_id else "revoked"
    await ending.end_session(context, caller.id, session_id, origin, reason)


@router.delete("", status_code=204)
async def end_other_sessions(
    context: Ctx,
    caller: Caller,
    origin: RequestOrigin,
    current: Annotated[bool, Query(description="End the session of this request, too")] = False,
) -> None:
    """Log out everywhere else, as with `DELETE /v1/auth/sessions/{id}` for each other session."""
    await ending.end_other_sessions(context, caller.id, None if current else caller.session_id, origin)
