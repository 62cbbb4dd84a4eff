"""What only the platform's other processes ask. The gateway has no route that leads here."""

from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from services.auth.context import Ctx
from services.auth.queries.revocations import revoked_now

router = APIRouter(prefix="/internal", include_in_schema=False)

_LATEST = 253402300799  # the end of the year 9999


class EndedSession(BaseModel):
    """By `tokens_until`, in epoch seconds, the last of its access tokens has expired by itself."""

    id: UUID
    tokens_until: float


class RevocationsView(BaseModel):
    """Ask again with `since` a little before `as_of`."""

    as_of: float
    sessions: list[EndedSession]
    revoked_keys: list[str]


@router.get("/revocations")
async def list_revocations(context: Ctx, since: float | None = Query(None, ge=0, le=_LATEST)) -> RevocationsView:
    """Sessions that ended and keys that were revoked, as long as somebody could still hold a token of theirs."""
    found = await revoked_now(context, datetime.fromtimestamp(since, UTC) if since is not None else None)
    return RevocationsView(
        as_of=found.as_of.timestamp(),
        sessions=[EndedSession(id=id_, tokens_until=until.timestamp()) for id_, until in found.sessions.items()],
        revoked_keys=list(found.key_ids),
    )
