"""The second step of a login: what the first one leads to where the account has a second factor, and how it ends."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from services.auth import webauthn
from services.auth.commands.check_factor import Proof, check_factor, not_available
from services.auth.commands.issue_tokens import Tokens, new_refresh_secret, tokens_of
from services.auth.commands.limit_attempts import count_wrong_secret, refuse_wrong_secrets
from services.auth.commands.open_session import open_session
from services.auth.commands.send_code import send_code
from services.auth.commands.use_passkey import assertion_options, refused
from services.auth.context import Context
from services.auth.domain.factor_problems import CodeInvalid, MfaTokenInvalid, TooManyCodes
from services.auth.domain.links import hash_of
from services.auth.domain.origin import Origin
from services.auth.domain.problems import AccountSuspended
from services.auth.domain.second_factor import Factors, MfaMethod, PendingLogin, added, method_reference
from services.auth.domain.sent_code import masked
from services.auth.domain.user import User
from services.auth.store.unit_of_work import AuthUnitOfWork
from shared.ids import new_id

MFA_TOKEN_PREFIX = "lmt_"  # noqa: S105 lets secret scanners recognise one
_OVER = "It was begun too long ago, was finished, or the account has changed. Log in again."


@dataclass(frozen=True)
class SecondStep:
    """What a login goes on with: `token` names it. `sent_to` is where a code is on its way to, masked."""

    token: str
    methods: tuple[MfaMethod, ...]
    expires_in_seconds: int
    sent_to: str | None = None


@dataclass(frozen=True)
class Challenge:
    """What a method needs before it can be answered: a code that was sent, or what a passkey is to sign."""

    method: MfaMethod
    sent_to: str | None = None
    passkey_options: dict[str, Any] | None = None


async def begin_second_step(
    context: Context, work: AuthUnitOfWork, user: User, methods: tuple[str, ...], origin: Origin
) -> SecondStep | None:
    """What a login by `methods` (the right password, or a sign-on elsewhere) has to go on with; None when it is done.

    Where a message is the best factor there is, its code is sent at once.
    """
    factors = await work.second_factors.of(user.id)
    if not factors.any:
        return None
    token = MFA_TOKEN_PREFIX + secrets.token_urlsafe(32)
    lifetime = timedelta(seconds=context.settings.auth_mfa_login_seconds)
    pending = PendingLogin(
        id=new_id(),
        user_id=user.id,
        token_hash=hash_of(token),
        methods=methods,
        device=origin.device,
        created_at=work.now,
        expires_at=work.now + lifetime,
    )
    await work.pending_logins.add(pending)
    sent_to = None
    if factors.methods and factors.methods[0] in ("sms", "email"):
        try:
            sent_to = (await challenge_for(context, work, user, factors, factors.methods[0], pending.id, origin)).sent_to
        except TooManyCodes:  # an earlier one may have arrived, and there are other ways
            sent_to = None
    await work.audit("session.second_step_begun", origin=origin, actor_id=user.id, subject_id=pending.id)
    return SecondStep(token, factors.methods, context.settings.auth_mfa_login_seconds, sent_to)


async def challenge_login(context: Context, token: str, method: MfaMethod, origin: Origin) -> Challenge:
    """Send a code, or ask a passkey, for a login that waits. Raises `MfaTokenInvalid`, `FactorNotAvailable`, `TooManyCodes`."""
    await refuse_wrong_secrets(context, origin)
    await load_for(method)
    async with context.unit_of_work() as work:
        found = await _find(work, token, origin)
        if found is not None:
            pending, user = found
            factors = await work.second_factors.of(user.id)
            return await challenge_for(context, work, user, factors, method, pending.id, origin)
    await count_wrong_secret(context, origin)
    raise MfaTokenInvalid(_OVER)


async def challenge_for(
    context: Context,
    work: AuthUnitOfWork,
    user: User,
    factors: Factors,
    method: MfaMethod,
    subject: UUID,
    origin: Origin,
) -> Challenge:
    """Send a code, or ask a passkey, for `subject`: a login that waits, or a session."""
    if method not in factors.methods or method == "totp" or method == "recovery_code":
        raise not_available(factors)
    if method == "passkey":
        return Challenge(method, passkey_options=await assertion_options(context, work, user, subject))
    factor = factors.of(method)
    sent_to = (factor.number if factor else None) or user.email
    sent = await send_code(context, work, user, method, subject, sent_to, origin)
    return Challenge(method, sent_to=masked(sent.sent_to))


async def finish_login(context: Context, token: str, proof: Proof, origin: Origin) -> Tokens:
    """Tokens of a new session. Whatever is tried in parallel, one login becomes one session.

    Raises `MfaTokenInvalid`, `CodeInvalid`, `PasskeyRefused`, `FactorNotAvailable`, `TooManyAttempts` or `AccountSuspended`.
    """
    await refuse_wrong_secrets(context, origin)
    await load_for(proof.method)
    secret = new_refresh_secret()
    async with context.unit_of_work() as work:
        found = await _find(work, token, origin)
        if found is None:
            right = None
        else:
            pending, user = found
            right = await check_factor(context, work, user, proof, subject=pending.id, origin=origin)
            if right:
                await work.pending_logins.use_up(pending.id, work.now)
                methods = added(pending.methods, method_reference(proof.method))
                session = await open_session(context, work, user, secret, origin, methods=methods, mfa=True)
    if right is None:
        await count_wrong_secret(context, origin)
        raise MfaTokenInvalid(_OVER)
    if not right:
        raise refused() if proof.method == "passkey" else CodeInvalid("Try again, ask for a new code, or use another method.")
    return await tokens_of(context, user, session, secret)


async def load_for(method: MfaMethod) -> None:
    """Have in memory what `method` needs, before a transaction is open."""
    if method == "passkey":
        await webauthn.load()


async def _find(work: AuthUnitOfWork, token: str, origin: Origin) -> tuple[PendingLogin, User] | None:
    """The login that waits, and its account, which is locked; looked at again once it is."""
    pending = await work.pending_logins.find(hash_of(token))
    user = await work.users.find(pending.user_id, lock=True) if pending else None
    pending = await work.pending_logins.find(hash_of(token)) if user else None
    if pending is None or user is None or pending.device != origin.device:
        return None
    if not user.active:
        raise AccountSuspended("Write to support to have it opened again.")
    return (pending, user) if pending.usable(work.now, user.password_changed_at) else None
