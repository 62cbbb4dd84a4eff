"""Prove once more, in a session that is open, that its owner is there."""

from datetime import timedelta
from uuid import UUID

from services.auth.commands.check_factor import Proof, check_factor, not_available
from services.auth.commands.finish_login import Challenge, challenge_for, load_for
from services.auth.commands.issue_tokens import Tokens, new_refresh_secret, store_refresh_token, tokens_of
from services.auth.commands.limit_attempts import count_attempt, forget_attempts, password_rules, refuse_if_blocked
from services.auth.commands.use_passkey import refused
from services.auth.context import Context
from services.auth.domain.factor_problems import CodeInvalid
from services.auth.domain.origin import Origin
from services.auth.domain.passwords import normalised
from services.auth.domain.problems import SessionEnded, WrongPassword
from services.auth.domain.second_factor import MfaMethod, added, method_reference
from services.auth.domain.session import Session
from services.auth.domain.user import User
from services.auth.store.second_factors import SecondFactors
from services.auth.store.unit_of_work import AuthUnitOfWork
from services.auth.store.users import Users


async def challenge_step_up(context: Context, user_id: UUID, session_id: UUID, method: MfaMethod, origin: Origin) -> Challenge:
    """Send a code, or ask a passkey, for this session. Raises `FactorNotAvailable` or `TooManyCodes`."""
    await load_for(method)
    async with context.unit_of_work() as work:
        user, _ = await _locked(work, user_id, session_id)
        factors = await work.second_factors.of(user.id)
        return await challenge_for(context, work, user, factors, method, session_id, origin)


async def step_up(context: Context, user_id: UUID, session_id: UUID, proof: Proof, origin: Origin) -> Tokens:
    """Fresh tokens of the same session; its earlier refresh token works for a moment more.

    Raises `CodeInvalid`, `PasskeyRefused`, `FactorNotAvailable` or `TooManyAttempts`.
    """
    secret = new_refresh_secret()
    await load_for(proof.method)
    async with context.unit_of_work() as work:
        user, session = await _locked(work, user_id, session_id)
        right = await check_factor(context, work, user, proof, subject=session_id, origin=origin)
        if right:
            methods = added(session.methods, method_reference(proof.method))
            await work.sessions.prove(session_id, methods=methods, mfa_at=work.now)
            session = await _renewed(context, work, session, secret, origin, proof.method)
    if not right:
        raise refused() if proof.method == "passkey" else CodeInvalid("Try again, or ask for a new code.")
    return await tokens_of(context, user, session, secret)


async def step_up_with_password(context: Context, user_id: UUID, session_id: UUID, password: str, origin: Origin) -> Tokens:
    """The same, for an account that has no second factor.

    Raises `WrongPassword`, `TooManyAttempts`, or `FactorNotAvailable` where a second factor is asked for instead.
    """
    async with context.read() as connection:
        user = await Users(connection, context.vault).find(user_id)
        factors = await SecondFactors(connection, context.vault).of(user_id)
    if user is None:
        raise SessionEnded("Log in again.")
    if factors.any:
        raise not_available(factors)
    rules = password_rules(context.settings, user.email, origin)
    async with context.passwords.turn() as turn:
        await refuse_if_blocked(context, rules, user, origin)
        checked = await turn.verify(user.password_hash, normalised(password))
        if not checked.right:
            async with context.unit_of_work() as work:
                await count_attempt(work, rules)
                await work.audit("session.step_up_failed", origin=origin, actor_id=user_id, subject_id=session_id)
            raise WrongPassword("Give the password that you log in with.")
    secret = new_refresh_secret()
    async with context.unit_of_work() as work:
        present, session = await _locked(work, user_id, session_id)
        factors = await work.second_factors.of(user_id)
        if factors.any:
            raise not_available(factors)
        if present.password_hash != user.password_hash:
            raise WrongPassword("The password was changed a moment ago. Use the new one.")
        await forget_attempts(work, rules, "account_from_address")
        methods = added(session.methods, method_reference("password"))
        await work.sessions.prove(session_id, methods=methods, authenticated_at=work.now)
        session = await _renewed(context, work, session, secret, origin, "password")
    return await tokens_of(context, present, session, secret)


async def _locked(work: AuthUnitOfWork, user_id: UUID, session_id: UUID) -> tuple[User, Session]:
    user = await work.users.find(user_id, lock=True)
    session = await work.sessions.find(session_id, lock=True)
    if user is None or session is None or session.user_id != user_id or not user.active or not session.alive(work.now):
        raise SessionEnded("Log in again.")
    return user, session


async def _renewed(context: Context, work: AuthUnitOfWork, session: Session, secret: str, origin: Origin, method: str) -> Session:
    """The session as it is now, with another refresh token: whoever copied the earlier one has little of it."""
    await work.sessions.shorten_tokens(session.id, work.now + timedelta(seconds=context.settings.auth_refresh_grace_seconds))
    await store_refresh_token(context, work, session, secret)
    await work.audit(
        "session.stepped_up", origin=origin, actor_id=session.user_id, subject_id=session.id, after={"method": method}
    )
    return await work.sessions.find(session.id) or session
