"""Register, rename and remove passkeys."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from services.auth import webauthn
from services.auth.commands.change_factors import Member, factor_added, factor_removed, prove_session
from services.auth.commands.use_passkey import new_challenge
from services.auth.context import Context
from services.auth.domain.factor_problems import PasskeyExists, PasskeyInvalid, PasskeyNotFound, TooManyPasskeys
from services.auth.domain.origin import Origin
from services.auth.domain.passkey import MAX_PASSKEYS, Passkey
from services.auth.domain.problems import UserNotFound
from services.auth.domain.second_factor import method_reference
from shared.ids import new_id


async def begin_passkey(context: Context, member: Member) -> dict[str, Any]:
    """What the browser is to make a passkey with. Raises `TooManyPasskeys`."""
    await webauthn.load()
    async with context.unit_of_work() as work:
        user = await work.users.find(member.user_id)
        if user is None:
            raise UserNotFound
        known = await work.passkeys.of(user.id)
        if len(known) >= MAX_PASSKEYS:
            raise TooManyPasskeys(f"An account can have {MAX_PASSKEYS}.")
        challenge = await new_challenge(work, "register", user.id, member.session_id)
    return webauthn.creation_options(
        context.settings.site_id, challenge, user_id=user.id.bytes, email=user.email, full_name=user.full_name, known=known
    )


async def register_passkey(
    context: Context, member: Member, name: str, credential: Mapping[str, Any], origin: Origin
) -> tuple[Passkey, list[str]]:
    """The passkey that the device made, and recovery codes, shown this once, when the person had none.

    Raises `PasskeyInvalid`, `PasskeyExists` or `TooManyPasskeys`.
    """
    settings = context.settings
    await webauthn.load()
    async with context.unit_of_work() as work:
        asked = await work.passkeys.take(webauthn.challenge_in(credential), "register")
    now = context.clock.now()
    if asked is None or asked.user_id != member.user_id or asked.subject != member.session_id or now >= asked.expires_at:
        raise PasskeyInvalid("It was not asked for in this session, or too long ago. Begin again.")
    try:
        made = webauthn.verify_creation(credential, asked.challenge, site_id=settings.site_id, site_origin=settings.site_origin)
    except webauthn.Unacceptable:
        raise PasskeyInvalid("The device's answer does not belong to this site. Begin again on our own pages.") from None
    async with context.unit_of_work() as work:
        user = await work.users.find(member.user_id, lock=True)
        if user is None:
            raise UserNotFound
        if len(await work.passkeys.of(user.id)) >= MAX_PASSKEYS:
            raise TooManyPasskeys(f"An account can have {MAX_PASSKEYS}.")
        passkey = Passkey(
            id=new_id(),
            user_id=user.id,
            credential_id=made.credential_id,
            public_key=made.public_key,
            sign_count=made.sign_count,
            transports=made.transports,
            name=name,
            backed_up=made.backed_up,
            created_at=work.now,
        )
        if not await work.passkeys.add(passkey):
            raise PasskeyExists("Use another device, or the passkey that you have.")
        await prove_session(work, member.session_id, method_reference("passkey"))
        return passkey, await factor_added(work, user, member.session_id, "passkey", origin)


async def rename_passkey(context: Context, user_id: UUID, passkey_id: UUID, name: str) -> Passkey:
    """The passkey with another name. Raises `PasskeyNotFound`."""
    async with context.unit_of_work() as work:
        passkey = await work.passkeys.find(user_id, passkey_id)
        if passkey is None:
            raise PasskeyNotFound("GET /v1/auth/passkeys lists yours.")
        await work.passkeys.rename(passkey_id, name)
        return replace(passkey, name=name)


async def remove_passkey(context: Context, member: Member, passkey_id: UUID, origin: Origin) -> None:
    """The passkey opens nothing any more. Raises `PasskeyNotFound`."""
    async with context.unit_of_work() as work:
        user = await work.users.find(member.user_id, lock=True)
        if user is None or not await work.passkeys.remove(member.user_id, passkey_id):
            raise PasskeyNotFound("GET /v1/auth/passkeys lists yours.")
        await factor_removed(work, user, member.session_id, "passkey", origin)
