"""Identities of other providers that open one's account."""

from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import Field

from services.auth.api.callers import Caller
from services.auth.api.fields import Secret
from services.auth.api.origin import RequestOrigin
from services.auth.commands import link_identity as linking
from services.auth.context import Ctx
from services.auth.queries.identities import list_identities as list_linked
from shared.http.auth import require_step_up
from shared.http.schemas import Body, Instant, View

router = APIRouter(prefix="/v1/auth/identities", tags=["single sign-on"])


class IdentityView(View):
    """An account of yours at another provider that opens this one."""

    id: UUID
    provider: str
    email: str = Field(description="Its e-mail address there, at the last sign-on")
    linked_at: Instant
    last_used_at: Instant | None


class IdentitiesView(View):
    """All of them."""

    items: list[IdentityView]


class ConfirmIdentityBody(Body):
    """The secret from the link."""

    token: Secret


class ConfirmedView(View):
    """The account that the identity opens now."""

    email: str


@router.get("")
async def list_identities(context: Ctx, caller: Caller) -> IdentitiesView:
    """Your identities at other providers."""
    return IdentitiesView(items=[IdentityView.model_validate(each) for each in await list_linked(context, caller.id)])


@router.post("/confirm")
async def confirm_identity(body: ConfirmIdentityBody, context: Ctx, origin: RequestOrigin) -> ConfirmedView:
    """Link an identity with the secret of the link that was mailed to you. Then sign on with it again."""
    user = await linking.confirm_identity(context, body.token.get_secret_value(), origin)
    return ConfirmedView(email=user.email)


@router.delete("/{identity_id}", status_code=204, dependencies=[Depends(require_step_up)])
async def unlink_identity(identity_id: UUID, context: Ctx, caller: Caller, origin: RequestOrigin) -> None:
    """Unlink an identity, unless it is the only way into your account. Needs a fresh proof of who you are."""
    await linking.unlink_identity(context, caller.id, identity_id, origin)
