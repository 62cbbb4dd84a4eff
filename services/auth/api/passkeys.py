"""Passkeys: logging in with them, and one's own."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field

from services.auth.api.callers import Caller, SessionUser, SteppedUpCaller
from services.auth.api.fields import PersonName
from services.auth.api.origin import LoginOrigin, RequestOrigin
from services.auth.api.second_step import Credential
from services.auth.api.session_answer import SessionView, session_answer
from services.auth.commands import change_passkeys as changing
from services.auth.commands import log_in_with_passkey as logging_in
from services.auth.commands.change_factors import Member
from services.auth.context import Ctx
from services.auth.domain.passkey import Passkey
from services.auth.queries.factors import passkeys_of
from shared.http.schemas import Body, Instant, View

router = APIRouter(prefix="/v1/auth/passkeys", tags=["passkeys"])

PasskeyName = Annotated[PersonName, Field(description="What you call it", examples=["My phone"])]


class OptionsView(View):
    """What the browser is asked."""

    options: dict[str, Any] = Field(
        description="For `PublicKeyCredential.parse…OptionsFromJSON()`, then `navigator.credentials`; good for 5 minutes"
    )


class RegisterPasskeyBody(Body):
    """What the device made."""

    name: PasskeyName = "Passkey"
    credential: Credential


class PasskeyLogInBody(Body):
    """What the passkey answered."""

    credential: Credential


class RenamePasskeyBody(Body):
    """What it is to be called."""

    name: PasskeyName


class PasskeyView(View):
    """One of your passkeys."""

    id: UUID
    name: str
    backed_up: bool = Field(description="Whether the device keeps it in an account of its maker, so that it can be restored")
    created_at: Instant
    last_used_at: Instant | None
    suspected_at: Instant | None = Field(description="When it was blocked because there may be a copy of it; remove it")


class RegisteredPasskeyView(PasskeyView):
    """A new passkey."""

    recovery_codes: list[str] = Field(description="Shown only now, when you had none: each replaces a second factor once")


class PasskeysView(View):
    """All of your passkeys, newest first."""

    items: list[PasskeyView]


def _member(caller: SessionUser) -> Member:
    return Member(caller.id, caller.session_id)


def _view(passkey: Passkey) -> PasskeyView:
    return PasskeyView.model_validate(passkey)


@router.post("/login/options")
async def begin_passkey_login(context: Ctx, response: Response) -> OptionsView:
    """Begin to log in with a passkey alone: the browser lets you choose one. Needs no e-mail address."""
    response.headers["Cache-Control"] = "no-store"
    return OptionsView(options=await logging_in.begin_passkey_login(context))


@router.post("/login")
async def log_in_with_passkey(body: PasskeyLogInBody, context: Ctx, origin: LoginOrigin, response: Response) -> SessionView:
    """Open a session with a passkey alone. It counts as two factors: you have it, and it has made sure who you are."""
    return session_answer(context, await logging_in.log_in_with_passkey(context, body.credential, origin), response)


@router.post("/register/options")
async def begin_passkey(context: Ctx, caller: SteppedUpCaller, response: Response) -> OptionsView:
    """Begin to make a passkey for your account."""
    response.headers["Cache-Control"] = "no-store"
    return OptionsView(options=await changing.begin_passkey(context, _member(caller)))


@router.post("/register", status_code=201)
async def register_passkey(
    body: RegisterPasskeyBody, context: Ctx, caller: Caller, origin: RequestOrigin, response: Response
) -> RegisteredPasskeyView:
    """Register the passkey that the device made. It is a second factor from now on; every other session ends."""
    passkey, codes = await changing.register_passkey(context, _member(caller), body.name, body.credential, origin)
    response.headers["Cache-Control"] = "no-store"
    return RegisteredPasskeyView(**_view(passkey).model_dump(), recovery_codes=codes)


@router.get("")
async def list_passkeys(context: Ctx, caller: Caller) -> PasskeysView:
    """Your passkeys."""
    return PasskeysView(items=[_view(passkey) for passkey in await passkeys_of(context, caller.id)])


@router.patch("/{passkey_id}")
async def rename_passkey(passkey_id: UUID, body: RenamePasskeyBody, context: Ctx, caller: Caller) -> PasskeyView:
    """Call a passkey otherwise."""
    return _view(await changing.rename_passkey(context, caller.id, passkey_id, body.name))


@router.delete("/{passkey_id}", status_code=204)
async def remove_passkey(passkey_id: UUID, context: Ctx, caller: SteppedUpCaller, origin: RequestOrigin) -> None:
    """Remove a passkey. Every other session ends; with the last second factor your recovery codes go too."""
    await changing.remove_passkey(context, _member(caller), passkey_id, origin)
