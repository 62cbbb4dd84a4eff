"""Set up and remove second factors with codes. A change ends every other session, is written to the owner and audited."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from services.auth.commands.end_session import end_sessions
from services.auth.commands.limit_attempts import code_rules, count_attempt, forget_attempts, lock_attempts
from services.auth.commands.send_code import send_code, take_code
from services.auth.commands.tell_user import send_mail
from services.auth.context import Context
from services.auth.domain.factor_problems import (
    CodeInvalid,
    FactorExists,
    FactorNotAvailable,
    FactorNotFound,
    PhoneMissing,
    SetupExpired,
)
from services.auth.domain.links import hash_of
from services.auth.domain.origin import Origin
from services.auth.domain.problems import UserNotFound
from services.auth.domain.second_factor import CodeMethod, Factors, SecondFactor, added, method_reference
from services.auth.domain.sent_code import RECOVERY_CODES, CodePurpose, SentCode, new_recovery_code, typed
from services.auth.domain.totp import SECRET_BYTES, matching_step
from services.auth.domain.user import User
from services.auth.store.unit_of_work import AuthUnitOfWork
from shared.ids import new_id

_WORTH_TELLING = timedelta(days=7)


@dataclass(frozen=True)
class Member:
    """Whose factors change, and the session in which they do."""

    user_id: UUID
    session_id: UUID


async def begin_app_codes(context: Context, member: Member) -> tuple[User, bytes]:
    """The key for an authenticator app, to be confirmed with its first code. Raises `FactorExists`."""
    async with context.unit_of_work() as work:
        user = await _locked(work, member.user_id)
        factor = await _begin(work, user, "totp", secrets.token_bytes(SECRET_BYTES))
    return user, factor.secret or b""


async def begin_sent_codes(context: Context, member: Member, method: CodeMethod, number: str | None, origin: Origin) -> SentCode:
    """Send the first code of a factor by `sms` (to `number`, or the account's) or `email`, to be confirmed with it.

    Raises `FactorExists`, `PhoneMissing`, `FactorNotAvailable`, `TooManyCodes` or `SmsUnavailable`.
    """
    async with context.unit_of_work() as work:
        user = await _locked(work, member.user_id)
        if method == "sms":
            sent_to = number or user.phone
            if sent_to is None:
                raise PhoneMissing("Send `phone` with the request, or put your number into your profile.")
            await _begin(work, user, "sms", sent_to.encode())
            return await send_code(context, work, user, "enrol_sms", user.id, sent_to, origin)
        if not context.email_verified(user):
            raise FactorNotAvailable("Confirm your e-mail address first: open the link in the message we sent to it.")
        await _begin(work, user, "email", None)
        return await send_code(context, work, user, "enrol_email", user.id, user.email, origin)


async def confirm_factor(context: Context, member: Member, method: CodeMethod, code: str, origin: Origin) -> list[str]:
    """Recovery codes, which are shown this once, or nothing when the person has some. The factor counts from now on.

    Raises `SetupExpired`, `CodeInvalid` or `TooManyAttempts`.
    """
    async with context.unit_of_work() as work:
        user = await _locked(work, member.user_id)
        factor = await work.second_factors.find(user.id, method)
        if factor is None or not factor.confirmable(work.now):
            raise SetupExpired(f"Send POST /v1/auth/mfa/{method} first; you then have 15 minutes.")
        rules = code_rules(context.settings, user, method, origin)
        await lock_attempts(work, rules, user, origin)
        confirmed = await _confirmed(context, work, user, factor, code)
        if confirmed is None:
            await count_attempt(work, rules)
        else:
            await work.second_factors.save_use(confirmed)
            await forget_attempts(work, rules, "factor", "account_from_address")
            await prove_session(work, member.session_id, method_reference(method))
            return await factor_added(work, user, member.session_id, method, origin)
    raise CodeInvalid("Give the code that your app shows now, or the last one that was sent to you.")


async def remove_factor(context: Context, member: Member, method: CodeMethod, origin: Origin) -> None:
    """The factor does not count any more. Raises `FactorNotFound`."""
    async with context.unit_of_work() as work:
        user = await _locked(work, member.user_id)
        factor = await work.second_factors.find(user.id, method)
        if factor is None:
            raise FactorNotFound("GET /v1/auth/mfa tells which you have.")
        await work.second_factors.remove(user.id, method)
        if factor.confirmed:
            await factor_removed(work, user, member.session_id, method, origin)


async def replace_recovery_codes(context: Context, member: Member, origin: Origin) -> list[str]:
    """New recovery codes, which are shown this once; earlier ones stop working. Raises `FactorNotAvailable`."""
    async with context.unit_of_work() as work:
        user = await _locked(work, member.user_id)
        if not (await work.second_factors.of(user.id)).any:
            raise FactorNotAvailable("Set a second factor up first; recovery codes come with it.")
        codes = await _new_recovery_codes(work, user.id)
        send_mail(work, user, "recovery_codes_replaced", expires_in=_WORTH_TELLING, changed_at=_at(work))
        await end_sessions(work, user.id, reason="factor_changed", origin=origin, actor_id=user.id, but=member.session_id)
        await _audit(work, "factor.recovery_codes_replaced", user, origin, "recovery_code")
        return codes


async def factor_added(work: AuthUnitOfWork, user: User, session_id: UUID, kind: str, origin: Origin) -> list[str]:
    """What follows when a factor counts: others are logged out, the owner is told. New recovery codes if there were none."""
    factors = await work.second_factors.of(user.id)
    await end_sessions(work, user.id, reason="factor_changed", origin=origin, actor_id=user.id, but=session_id)
    await work.pending_logins.remove_all(user.id)
    send_mail(work, user, "factor_added", expires_in=_WORTH_TELLING, method=kind, changed_at=_at(work))
    await _audit(work, "factor.added", user, origin, kind)
    return [] if factors.recovery_codes_left else await _new_recovery_codes(work, user.id)


async def factor_removed(work: AuthUnitOfWork, user: User, session_id: UUID, kind: str, origin: Origin) -> Factors:
    """What follows when a factor is gone: others are logged out, the owner is told. The last one takes recovery codes along."""
    factors = await work.second_factors.of(user.id)
    if not factors.any:
        await work.second_factors.replace_recovery_codes(user.id, [], work.now)
    await end_sessions(work, user.id, reason="factor_changed", origin=origin, actor_id=user.id, but=session_id)
    await work.pending_logins.remove_all(user.id)
    send_mail(work, user, "factor_removed", expires_in=_WORTH_TELLING, method=kind, changed_at=_at(work))
    await _audit(work, "factor.removed", user, origin, kind)
    return factors


async def prove_session(work: AuthUnitOfWork, session_id: UUID, reference: str) -> None:
    """Note in a session that its owner has just given a second factor."""
    session = await work.sessions.find(session_id, lock=True)
    if session is not None:
        await work.sessions.prove(session_id, methods=added(session.methods, reference), mfa_at=work.now)


async def _locked(work: AuthUnitOfWork, user_id: UUID) -> User:
    user = await work.users.find(user_id, lock=True)
    if user is None:
        raise UserNotFound
    return user


async def _begin(work: AuthUnitOfWork, user: User, method: CodeMethod, secret: bytes | None) -> SecondFactor:
    known = await work.second_factors.find(user.id, method)
    if known is not None and known.confirmed:
        raise FactorExists(f"Remove it first with DELETE /v1/auth/mfa/{method}.")
    factor = SecondFactor(new_id(), user.id, method, secret, work.now)
    await work.second_factors.begin(factor)
    return factor


async def _confirmed(context: Context, work: AuthUnitOfWork, user: User, factor: SecondFactor, code: str) -> SecondFactor | None:
    """The factor with its first code taken, or None when the code is not right."""
    if factor.method == "totp":
        step = matching_step(factor.secret or b"", typed(code), work.now, factor.last_step)
        return factor.used(work.now, step) if step is not None else None
    purpose: CodePurpose = "enrol_sms" if factor.method == "sms" else "enrol_email"
    sent = await take_code(context, work, user.id, purpose, user.id, code)
    return factor.used(work.now) if sent is not None and sent.sent_to == (factor.number or user.email) else None


async def _new_recovery_codes(work: AuthUnitOfWork, user_id: UUID) -> list[str]:
    codes = [new_recovery_code(secrets.randbelow) for _ in range(RECOVERY_CODES)]
    await work.second_factors.replace_recovery_codes(user_id, [hash_of(typed(code)) for code in codes], work.now)
    return codes


async def _audit(work: AuthUnitOfWork, action: str, user: User, origin: Origin, kind: str) -> None:
    await work.audit(action, origin=origin, actor_id=user.id, subject_id=user.id, subject_kind="user", after={"method": kind})


def _at(work: AuthUnitOfWork) -> str:
    return f"{work.now:%Y-%m-%d %H:%M} UTC"
