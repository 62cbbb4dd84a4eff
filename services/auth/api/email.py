"""Changing one's e-mail address."""

from fastapi import APIRouter, Depends

from services.auth.api.account import AcceptedView, VerifiedView
from services.auth.api.callers import Caller
from services.auth.api.fields import Secret
from services.auth.api.origin import RequestOrigin
from services.auth.commands import change_email as changing
from services.auth.context import Ctx
from shared.http.auth import require_step_up
from shared.http.schemas import Body, EmailAddress

router = APIRouter(prefix="/v1/auth/email/change", tags=["account"])


class ChangeEmailBody(Body):
    """The address to have from now on."""

    email: EmailAddress


class ConfirmEmailBody(Body):
    """The secret from the link."""

    token: Secret


@router.post("", status_code=202, dependencies=[Depends(require_step_up)])
async def change_email(body: ChangeEmailBody, context: Ctx, caller: Caller, origin: RequestOrigin) -> AcceptedView:
    """Ask for another e-mail address. A link goes to the new one, and nothing changes before it is used.

    Needs a fresh proof of who you are.
    """
    await changing.request_email_change(context, caller.id, body.email, origin)
    return AcceptedView()


@router.post("/confirm")
async def confirm_email_change(body: ConfirmEmailBody, context: Ctx, origin: RequestOrigin) -> VerifiedView:
    """Change the address with the secret from the link that was sent to the new one. The old address is told."""
    user = await changing.confirm_email_change(context, body.token.get_secret_value(), origin)
    return VerifiedView(email=user.email)
