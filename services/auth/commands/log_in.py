"""Open a session with an e-mail address and a password."""

from datetime import timedelta

from services.auth.commands.issue_tokens import Tokens, new_refresh_secret, store_refresh_token, tokens_of
from services.auth.commands.limit_attempts import count_attempt, forget_attempts, password_rules, refuse_if_blocked
from services.auth.context import Context
from services.auth.domain.origin import Origin
from services.auth.domain.passwords import normalised
from services.auth.domain.problems import AccountSuspended, InvalidCredentials
from services.auth.domain.session import Session
from services.auth.domain.user import User
from services.auth.store.unit_of_work import AuthUnitOfWork
from services.auth.store.users import Users
from shared.ids import new_id


async def log_in(context: Context, email: str, password: str, origin: Origin) -> Tokens:
    """Tokens of a new session. Raises `InvalidCredentials`, `TooManyAttempts` or `AccountSuspended`."""
    rules = password_rules(context.settings, email, origin)
    async with context.passwords.turn() as turn:
        async with context.read() as connection:
            user = await Users(connection).find_by_email(email)
        await refuse_if_blocked(context, rules, user, origin)
        checked = await turn.verify(user.password_hash if user else None, normalised(password))
        if user is None or not checked.right:
            async with context.unit_of_work() as work:
                await count_attempt(work, rules)
                subject_id = user.id if user else None
                await work.audit("session.login_failed", origin=origin, actor_id=None, subject_id=subject_id)
            raise InvalidCredentials("Check both, or set a new password with “forgot password”.")
    secret = new_refresh_secret()
    async with context.unit_of_work() as work:
        user = await _still_the_same(work, user)
        if checked.better_hash:
            user = user.with_better_hash(checked.better_hash)
            await work.users.save(user)
        session = await open_session(context, work, user, secret, origin)
        await forget_attempts(work, rules, "account_from_address")
    return await tokens_of(context, user, session, secret)


async def _still_the_same(work: AuthUnitOfWork, seen: User) -> User:
    """The account, locked. Between the check of the password and now it may have been suspended, or its password changed."""
    user = await work.users.find(seen.id, lock=True)
    if user is None or user.password_hash != seen.password_hash:
        raise InvalidCredentials("The password was changed a moment ago. Use the new one.")
    if not user.active:
        raise AccountSuspended("Write to support to have it opened again.")
    return user


async def open_session(context: Context, work: AuthUnitOfWork, user: User, refresh_secret: str, origin: Origin) -> Session:
    """A new session of `user`, with its first refresh token."""
    session = Session(
        id=new_id(),
        user_id=user.id,
        device=origin.device,
        address=origin.address,
        methods=("pwd",),
        authenticated_at=work.now,
        last_used_at=work.now,
        expires_at=work.now + timedelta(days=context.settings.auth_session_days),
        carrier=origin.carrier,
    )
    await work.sessions.add(session)
    await store_refresh_token(context, work, session, refresh_secret)
    await work.audit("session.opened", origin=origin, actor_id=user.id, subject_id=session.id)
    return session
