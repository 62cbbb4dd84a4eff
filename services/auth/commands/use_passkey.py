"""Ask a passkey to sign, and take what it answers: as the only factor of a login, as its second, or for a step-up."""

import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.auth import webauthn
from services.auth.commands.tell_user import send_mail
from services.auth.context import Context
from services.auth.domain.factor_problems import PasskeyRefused
from services.auth.domain.origin import Origin
from services.auth.domain.passkey import CHALLENGE_LIFETIME, ChallengePurpose, Passkey, PasskeyChallenge
from services.auth.domain.user import User
from services.auth.store.unit_of_work import AuthUnitOfWork

_HINT = "Begin again, or log in another way."


async def new_challenge(work: AuthUnitOfWork, purpose: ChallengePurpose, user_id: UUID | None, subject: UUID | None) -> bytes:
    """Random bytes to be signed once, lately, and for `subject` only."""
    challenge = secrets.token_bytes(32)
    await work.passkeys.ask(PasskeyChallenge(challenge, purpose, user_id, subject, work.now + CHALLENGE_LIFETIME))
    return challenge


async def assertion_options(context: Context, work: AuthUnitOfWork, user: User, subject: UUID) -> dict[str, Any]:
    """What `navigator.credentials.get` wants, for one of the person's own passkeys."""
    challenge = await new_challenge(work, "second_factor", user.id, subject)
    usable = [passkey for passkey in await work.passkeys.of(user.id) if passkey.suspected_at is None]
    return webauthn.request_options(context.settings.site_id, challenge, usable)


async def take_assertion(
    context: Context, work: AuthUnitOfWork, user: User, credential: Mapping[str, Any], *, subject: UUID, origin: Origin
) -> bool:
    """Whether one of the person's passkeys signed what was asked for `subject`; the challenge is used up either way."""
    asked = await work.passkeys.take(webauthn.challenge_in(credential), "second_factor")
    passkey = await work.passkeys.find_credential(webauthn.credential_id_in(credential), lock=True)
    if asked is None or asked.subject != subject or work.now >= asked.expires_at:
        return False
    if passkey is None or passkey.user_id != user.id:
        return False
    return await signed(context, work, user, passkey, credential, asked.challenge, origin)


async def signed(
    context: Context,
    work: AuthUnitOfWork,
    user: User,
    passkey: Passkey,
    credential: Mapping[str, Any],
    challenge: bytes,
    origin: Origin,
) -> bool:
    """Whether `passkey` signed `challenge` for our site, with its user verified.

    A counter that went backwards blocks the passkey and tells the owner; what was changed must be committed.
    """
    settings = context.settings
    if passkey.suspected_at is not None:
        return False
    try:
        seen = webauthn.verify_assertion(
            credential, challenge, public_key=passkey.public_key, site_id=settings.site_id, site_origin=settings.site_origin
        )
    except webauthn.Unacceptable:
        await work.audit("passkey.refused", origin=origin, actor_id=None, subject_id=passkey.id)
        return False
    if passkey.copied(seen.sign_count):
        await work.passkeys.save(passkey.suspected(work.now))
        send_mail(work, user, "passkey_suspected", expires_in=CHALLENGE_LIFETIME * 1000, passkey=passkey.name)
        counters = {"known": passkey.sign_count, "given": seen.sign_count}
        await work.audit("passkey.suspected", origin=origin, actor_id=user.id, subject_id=passkey.id, after=counters)
        return False
    await work.passkeys.save(passkey.used(seen.sign_count, seen.backed_up, work.now))
    return True


def refused() -> PasskeyRefused:
    """The one problem for whatever is wrong with an answer: it does not tell which passkeys there are."""
    return PasskeyRefused(_HINT)
