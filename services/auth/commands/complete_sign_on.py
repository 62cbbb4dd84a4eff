"""A person comes back from another provider: who it is, and which account that opens.

The answer is an address of the app, with a one-time code in it that the app exchanges for a session, or with what went wrong.
"""

import hmac
import logging
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

from services.auth.commands.begin_sign_on import provider_named
from services.auth.commands.link_identity import ask_owner, link_to_account
from services.auth.commands.tell_user import publish_registered
from services.auth.context import Context
from services.auth.domain.links import hash_of
from services.auth.domain.origin import Origin
from services.auth.domain.problems import SignOnInvalid
from services.auth.domain.sign_on import ForeignIdentity, Identity, SignOnAttempt, SignOnFailed, with_outcome
from services.auth.domain.user import User, new_user
from services.auth.store.unit_of_work import AuthUnitOfWork
from shared.ids import new_id

_log = logging.getLogger(__name__)

CODE_PREFIX = "lsc_"
_CODE_SECONDS = 120


@dataclass(frozen=True)
class Return:
    """What the provider's redirect said. `issuer` is its `iss` (RFC 9207)."""

    state: str
    code: str | None
    error: str | None
    issuer: str | None


async def complete_sign_on(context: Context, name: str, back: Return, browser_secret: str | None, origin: Origin) -> str:
    """The address of the app to go on to. Raises `SignOnInvalid` when this browser did not begin it, or it is over."""
    provider = provider_named(context, name)
    attempt = await _take(context, name, back.state, browser_secret)
    try:
        if back.error is not None or back.code is None:
            raise SignOnFailed("access_denied", "the provider reports an error")
        foreign = await provider.identify(back.code, back.issuer, attempt.secrets)
        outcome = await _settle(context, attempt, foreign, origin)
    except SignOnFailed as failure:
        _log.warning("a sign-on failed", extra={"provider": name, "error": failure.error, "why": failure.why})
        outcome = {"sso_error": failure.error}
    return with_outcome(attempt.return_to, **outcome)


async def _take(context: Context, name: str, state: str, browser_secret: str | None) -> SignOnAttempt:
    """The attempt, used up: whatever comes now, this state opens nothing again."""
    async with context.unit_of_work() as work:
        attempt = await work.sign_on_attempts.by_state(hash_of(state))
        ours = attempt is not None and browser_secret is not None
        if attempt is None or browser_secret is None or not ours or attempt.provider != name:
            raise SignOnInvalid("Begin the sign-on again, in the browser in which you finish it.")
        if not hmac.compare_digest(hash_of(browser_secret), attempt.browser_hash) or not attempt.awaits_return(work.now):
            raise SignOnInvalid("Begin the sign-on again, in the browser in which you finish it.")
        attempt = replace(attempt, returned_at=work.now)
        await work.sign_on_attempts.save(attempt)
        return attempt


async def _settle(context: Context, attempt: SignOnAttempt, foreign: ForeignIdentity, origin: Origin) -> dict[str, str]:
    async with context.unit_of_work() as work:
        identity = await work.identities.find(foreign.issuer, foreign.subject)
        if attempt.for_user_id is not None:
            await link_to_account(work, attempt.for_user_id, foreign, identity, origin)
            return {"sso": "linked"}
        user = await work.users.find(identity.user_id, lock=True) if identity else None
        if identity is None or user is None:
            user = await _new_account(context, work, foreign, origin)
            if user is None:
                await ask_owner(context, work, foreign, origin)
                return {"sso_error": "confirmation_sent"}
        else:
            await work.identities.touch(identity.id, email=foreign.email, now=work.now)
        if not user.active:
            raise SignOnFailed("account_suspended", "the account is not active")
        code = CODE_PREFIX + secrets.token_urlsafe(32)
        lifetime = timedelta(seconds=_CODE_SECONDS)
        opened = replace(attempt, code_hash=hash_of(code), user_id=user.id, code_expires_at=work.now + lifetime)
        await work.sign_on_attempts.save(replace(opened, second_factor=foreign.second_factor))
        return {"sso_code": code}


async def _new_account(context: Context, work: AuthUnitOfWork, foreign: ForeignIdentity, origin: Origin) -> User | None:
    """A new account without a password, or None when the address has one."""
    if not foreign.email_verified:
        raise SignOnFailed("email_unverified", "the provider has not verified the address")
    user = new_user(
        user_id=new_id(),
        email=foreign.email,
        password_hash=None,
        full_name=foreign.full_name,
        phone=None,
        home_currency=context.settings.home_currency,
        now=work.now,
    ).with_email_verified(work.now)
    if not await work.users.add_if_email_is_free(user):
        return None
    await work.identities.add(
        Identity(
            id=new_id(),
            user_id=user.id,
            provider=foreign.provider,
            issuer=foreign.issuer,
            subject=foreign.subject,
            email=foreign.email,
            linked_at=work.now,
            last_used_at=work.now,
        )
    )
    publish_registered(work, user, email_verified=True)
    await work.audit("user.registered", origin=origin, actor_id=user.id, subject_id=user.id, after={"provider": foreign.provider})
    return user
