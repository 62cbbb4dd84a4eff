"""Where a person is logged in."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from services.auth.api.callers import Caller
from services.auth.api.origin import RequestOrigin
from services.auth.commands import end_session as ending
from services.auth.context import Ctx
from services.auth.domain.session import Session
from services.auth.queries import sessions as queries
from shared.http.paging import Page, Paging
from shared.http.schemas import Instant, View

router = APIRouter(prefix="/v1/auth/sessions", tags=["sessions"])


class SessionView(View):
    """A login on one device."""

    id: UUID
    device: str = Field(description="What the client's software calls itself")
    address: str = Field(description="Network address of the last use")
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
            address=session.address,
            current=session.id == caller.session_id,
            authenticated_at=session.authenticated_at,
            last_used_at=session.last_used_at,
            expires_at=session.expires_at,
        )

    rows = await queries.list_sessions(context, paging, caller.id)
    return paging.page(rows, lambda session: session.id, view)


@router.delete("/{session_id}", status_code=204)
async def end_session(session_id: UUID, context: Ctx, caller: Caller, origin: RequestOrigin) -> None:
    """Log a device out. Its access token is good for some minutes more; its refresh token is not."""
    await ending.end_session(context, caller.id, session_id, origin)
