"""Opening an account, confirming its address, and its password."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter

from services.auth.api.callers import Caller, SteppedUpCaller
from services.auth.api.fields import GivenPassword, NewPassword, PersonName, Phone, Secret
from services.auth.api.origin import RequestOrigin
from services.auth.api.quiet import at_least
from services.auth.commands import change_password as passwords
from services.auth.commands import register_user as registering
from services.auth.commands import verify_email as verifying
from services.auth.context import Ctx
from shared.http.schemas import Body, EmailAddress, Instant, View

router = APIRouter(prefix="/v1/auth", tags=["account"])


class RegisterBody(Body):
    """A new account."""

    email: EmailAddress
    password: NewPassword
    full_name: PersonName
    phone: Phone | None = None


class RegisteredView(View):
    """The account that was asked for."""

    id: UUID
    email: str
    full_name: str
    phone: str | None
    email_verified: bool
    created_at: Instant


class VerifyEmailBody(Body):
    """The secret from the link."""

    token: Secret


class VerifiedView(View):
    """The address that is confirmed now."""

    email: str
    email_verified: Literal[True] = True


class AcceptedView(View):
    """The request was taken; an e-mail follows if there is anything to send."""

    status: Literal["accepted"] = "accepted"


class ForgotPasswordBody(Body):
    """Whose password is forgotten."""

    email: EmailAddress


class ResetPasswordBody(Body):
    """The secret from the link, and the password to have from now on."""

    token: Secret
    new_password: NewPassword


class ChangePasswordBody(Body):
    """The present password and the one to have from now on."""

    current_password: GivenPassword
    new_password: NewPassword


@router.post("/register", status_code=201)
async def register_user(body: RegisterBody, context: Ctx, origin: RequestOrigin) -> RegisteredView:
    """Open an account. An e-mail with a link to confirm the address follows.

    When the address has an account already, the answer looks the same, and its owner is told by e-mail instead.
    """
    registration = registering.Registration(body.email, body.password.get_secret_value(), body.full_name, body.phone)
    async with at_least(context.settings.auth_quiet_seconds):
        user = await registering.register_user(context, registration, origin)
    return RegisteredView(
        id=user.id,
        email=user.email,
        full_name=user.full_name,
        phone=user.phone,
        email_verified=context.email_verified(user),
        created_at=user.created_at,
    )


@router.post("/email/verify")
async def verify_email(body: VerifyEmailBody, context: Ctx, origin: RequestOrigin) -> VerifiedView:
    """Confirm an address with the secret from the link that was sent to it. Refresh your token afterwards."""
    user = await verifying.verify_email(context, body.token.get_secret_value(), origin)
    return VerifiedView(email=user.email)


@router.post("/email/resend", status_code=202)
async def resend_verification(context: Ctx, caller: Caller) -> AcceptedView:
    """Send the link to confirm your address again; earlier links stop working."""
    await verifying.resend_verification(context, caller.id)
    return AcceptedView()


@router.post("/password/forgot", status_code=202)
async def forgot_password(body: ForgotPasswordBody, context: Ctx, origin: RequestOrigin) -> AcceptedView:
    """Send a link to set a new password, if the address has an account. The answer does not tell."""
    async with at_least(context.settings.auth_quiet_seconds):
        await passwords.request_password_reset(context, body.email, origin)
    return AcceptedView()


@router.post("/password/reset", status_code=204)
async def reset_password(body: ResetPasswordBody, context: Ctx, origin: RequestOrigin) -> None:
    """Set a new password with the secret from the link. Every session ends."""
    await passwords.reset_password(context, body.token.get_secret_value(), body.new_password.get_secret_value(), origin)


@router.post("/password/change", status_code=204)
async def change_password(body: ChangePasswordBody, context: Ctx, caller: SteppedUpCaller, origin: RequestOrigin) -> None:
    """Set a new password with the present one. Every other session ends. Needs a fresh proof: else `step_up_required`."""
    await passwords.change_password(
        context,
        caller.id,
        caller.session_id,
        body.current_password.get_secret_value(),
        body.new_password.get_secret_value(),
        origin,
    )
