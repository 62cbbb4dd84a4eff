"""Tell whether what somebody gives as a second factor is right: for the second step of a login, and for a step-up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from services.auth.commands.limit_attempts import code_rules, count_attempt, forget_attempts, lock_attempts
from services.auth.commands.send_code import take_code
from services.auth.commands.stop_factor_reset import stop_open_reset
from services.auth.commands.tell_user import send_mail
from services.auth.commands.use_passkey import take_assertion
from services.auth.context import Context
from services.auth.domain.factor_problems import FactorNotAvailable
from services.auth.domain.links import hash_of
from services.auth.domain.origin import Origin
from services.auth.domain.second_factor import CodeMethod, Factors, MfaMethod
from services.auth.domain.sent_code import typed
from services.auth.domain.totp import matching_step
from services.auth.domain.user import User
from services.auth.store.unit_of_work import AuthUnitOfWork

_WARNING_WORTH = timedelta(days=7)


@dataclass(frozen=True)
class Proof:
    """What somebody gives: a code, or with the method `passkey` what the device answered."""

    method: MfaMethod
    code: str = ""
    credential: Mapping[str, Any] | None = None


async def check_factor(
    context: Context, work: AuthUnitOfWork, user: User, proof: Proof, *, subject: UUID, origin: Origin
) -> bool:
    """Whether the proof is right; a wrong one is counted, which must be committed. The account must be locked.

    `subject` is the waiting login or the session that sent codes and challenges are bound to. Raises `TooManyAttempts`,
    `FactorNotAvailable`, or what is wrong with a passkey.
    """
    factors = await work.second_factors.of(user.id)
    if proof.method not in factors.methods:
        raise not_available(factors)
    if proof.method == "passkey":
        taken = await take_assertion(context, work, user, proof.credential or {}, subject=subject, origin=origin)
        if taken:
            await stop_open_reset(work, user, "a second factor was used", origin)
        return taken
    rules = code_rules(context.settings, user, proof.method, origin)
    await lock_attempts(work, rules, user, origin)
    if await _right(context, work, user, factors, proof, subject):
        await forget_attempts(work, rules, "factor", "account_from_address")
        await stop_open_reset(work, user, "a second factor was used", origin)
        if proof.method == "recovery_code":
            await _tell_of_recovery_code(work, user, factors.recovery_codes_left - 1, origin)
        return True
    counters = await count_attempt(work, rules)
    failures = next(counter.count for key, counter in counters.items() if rules[key].kind == "factor")
    if failures == context.settings.auth_factor_failures:
        send_mail(work, user, "factor_attacked", expires_in=_WARNING_WORTH, method=proof.method)
    await work.audit(
        "factor.refused", origin=origin, actor_id=user.id, subject_id=user.id, subject_kind="user", after={"method": proof.method}
    )
    return False


def not_available(factors: Factors) -> FactorNotAvailable:
    """The problem that says which methods there are."""
    methods = list(factors.methods)
    how = f"Use one of: {', '.join(methods)}." if methods else "The account has no second factor."
    return FactorNotAvailable(how, extra={"methods": methods})


async def _right(context: Context, work: AuthUnitOfWork, user: User, factors: Factors, proof: Proof, subject: UUID) -> bool:
    code = typed(proof.code)
    match proof.method:
        case "recovery_code":
            return await work.second_factors.use_recovery_code(user.id, hash_of(code), work.now)
        case "totp":
            return await _take_app_code(work, factors, code)
        case "sms" | "email":
            if await take_code(context, work, user.id, proof.method, subject, code) is None:
                return False
            await _note_use(work, factors, proof.method)
            return True
    return False


async def _take_app_code(work: AuthUnitOfWork, factors: Factors, code: str) -> bool:
    factor = factors.of("totp")
    step = matching_step(factor.secret or b"", code, work.now, factor.last_step) if factor else None
    if step is None:
        return False
    await _note_use(work, factors, "totp", step)
    return True


async def _note_use(work: AuthUnitOfWork, factors: Factors, method: CodeMethod, step: int | None = None) -> None:
    if factor := factors.of(method):
        await work.second_factors.save_use(factor.used(work.now, step))


async def _tell_of_recovery_code(work: AuthUnitOfWork, user: User, left: int, origin: Origin) -> None:
    used_at = f"{work.now:%Y-%m-%d %H:%M} UTC"
    send_mail(work, user, "recovery_code_used", expires_in=_WARNING_WORTH, used_at=used_at, left=str(left))
    await work.audit(
        "factor.recovery_code_used",
        origin=origin,
        actor_id=user.id,
        subject_id=user.id,
        subject_kind="user",
        after={"left": left},
    )
