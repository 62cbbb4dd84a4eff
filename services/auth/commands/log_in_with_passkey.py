"""Open a session with a passkey alone: it is something that the person has, and it has verified who they are."""

from collections.abc import Mapping
from typing import Any

from services.auth import webauthn
from services.auth.commands.issue_tokens import Tokens, new_refresh_secret, tokens_of
from services.auth.commands.limit_attempts import count_wrong_secret, refuse_wrong_secrets
from services.auth.commands.open_session import open_session
from services.auth.commands.stop_factor_reset import stop_open_reset
from services.auth.commands.use_passkey import new_challenge, refused, signed
from services.auth.context import Context
from services.auth.domain.origin import Origin
from services.auth.domain.passkey import Passkey
from services.auth.domain.problems import AccountSuspended
from services.auth.domain.second_factor import added, method_reference
from services.auth.domain.user import User
from services.auth.store.unit_of_work import AuthUnitOfWork


async def begin_passkey_login(context: Context) -> dict[str, Any]:
    """What the browser is to ask the person's passkeys. It says nothing about who has any."""
    await webauthn.load()
    async with context.unit_of_work() as work:
        challenge = await new_challenge(work, "login", None, None)
    return webauthn.request_options(context.settings.site_id, challenge, ())


async def log_in_with_passkey(context: Context, credential: Mapping[str, Any], origin: Origin) -> Tokens:
    """Tokens of a new session. Raises `PasskeyRefused`, `TooManyAttempts` or `AccountSuspended`."""
    await refuse_wrong_secrets(context, origin)
    await webauthn.load()
    secret = new_refresh_secret()
    async with context.unit_of_work() as work:
        asked = await work.passkeys.take(webauthn.challenge_in(credential), "login")
        found = await _owner(work, credential)
        right = False
        if asked is not None and work.now < asked.expires_at and found is not None:
            user, passkey = found
            right = await signed(context, work, user, passkey, credential, asked.challenge, origin)
            if right and not user.active:
                raise AccountSuspended("Write to support to have it opened again.")
            if right:
                await stop_open_reset(work, user, "a passkey was used", origin)
                methods = added((), method_reference("passkey"), "mfa")
                session = await open_session(context, work, user, secret, origin, methods=methods, mfa=True)
    if not right:
        await count_wrong_secret(context, origin)
        raise refused()
    return await tokens_of(context, user, session, secret)


async def _owner(work: AuthUnitOfWork, credential: Mapping[str, Any]) -> tuple[User, Passkey] | None:
    """The account of a credential, locked, if it is the one that the device names."""
    credential_id = webauthn.credential_id_in(credential)
    passkey = await work.passkeys.find_credential(credential_id)
    user = await work.users.find(passkey.user_id, lock=True) if passkey else None
    passkey = await work.passkeys.find_credential(credential_id, lock=True) if user else None
    handle = webauthn.user_handle_in(credential)
    if passkey is None or user is None or handle != user.id.bytes:
        return None
    return user, passkey
