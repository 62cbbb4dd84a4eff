"""The keys that sign access tokens, for operators."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from services.auth.api.callers import AdminCaller, SteppedUpCaller
from services.auth.api.origin import RequestOrigin
from services.auth.commands import rotate_keys as rotating
from services.auth.context import Ctx
from services.auth.domain.signing_keys import SigningKey, State, state_of
from services.auth.queries.signing_keys import all_keys
from shared.http.schemas import Body, Instant, ShortText, View

router = APIRouter(prefix="/v1/admin/signing-keys", tags=["keys"])

KeyId = Annotated[str, Path(max_length=100, description="The `kid` of the key")]


class SigningKeyView(View):
    """A key; its private half is never shown."""

    id: str = Field(description="The `kid` in the header of its tokens")
    state: State = Field(
        description="`upcoming` is published already, `signing` signs new tokens, `retired` is good for the tokens it signed"
    )
    created_at: Instant
    activates_at: Instant = Field(description="When it begins to sign")
    retired_at: Instant | None
    revoked_at: Instant | None
    revoke_reason: str | None


class SigningKeysView(View):
    """Every key there ever was, newest first."""

    items: list[SigningKeyView]


class RotateBody(Body):
    """How soon."""

    at_once: bool = Field(False, description="Sign with the new key now, and not in ten minutes, when everybody has it")


class RevokeBody(Body):
    """Why, for the record."""

    reason: ShortText


def _view(key: SigningKey, keys: Sequence[SigningKey], now: datetime) -> SigningKeyView:
    return SigningKeyView(
        id=key.id,
        state=state_of(key, keys, now),
        created_at=key.created_at,
        activates_at=key.activates_at,
        retired_at=key.retired_at,
        revoked_at=key.revoked_at,
        revoke_reason=key.revoke_reason,
    )


@router.get("")
async def list_signing_keys(context: Ctx, caller: AdminCaller) -> SigningKeysView:
    """The keys that sign access tokens, and those that did. Needs the role `admin`."""
    keys = await all_keys(context.database, context.vault)
    return SigningKeysView(items=[_view(key, keys, context.clock.now()) for key in keys])


@router.post("/rotate", status_code=201)
async def rotate_signing_keys(
    context: Ctx, caller: AdminCaller, proof: SteppedUpCaller, origin: RequestOrigin, body: RotateBody | None = None
) -> SigningKeyView:
    """Make the next key now instead of on schedule. Tokens of the present one stay good. Needs the role `admin`."""
    key = await rotating.rotate_keys(context, origin, caller.id, at_once=body is not None and body.at_once)
    return _view(key, await all_keys(context.database, context.vault), context.clock.now())


@router.post("/{key_id}/revoke")
async def revoke_signing_key(
    key_id: KeyId, body: RevokeBody, context: Ctx, caller: AdminCaller, proof: SteppedUpCaller, origin: RequestOrigin
) -> SigningKeyView:
    """End a key whose private half somebody may have: no access token that it signed is good any more, yours included.

    People stay logged in: their clients get a token of another key with the next refresh. Needs the role `admin`.
    """
    key = await rotating.revoke_key(context, key_id, body.reason, origin, caller.id)
    return _view(key, await all_keys(context.database, context.vault), context.clock.now())
