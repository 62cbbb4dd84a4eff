"""Open a session with an e-mail address and a password."""

from services.auth.commands.finish_login import SecondStep, begin_second_step
from services.auth.commands.issue_tokens import Tokens, new_refresh_secret, tokens_of
from services.auth.commands.limit_attempts import count_attempt, forget_attempts, password_rules, refuse_if_blocked
from services.auth.commands.open_session import open_session
from services.auth.context import Context
from services.auth.domain.origin import Origin
from services.auth.domain.passwords import normalised
from services.auth.domain.problems import AccountSuspended, InvalidCredentials
from services.auth.domain.second_factor import method_reference
from services.auth.domain.user import User
from services.auth.store.unit_of_work import AuthUnitOfWork
from services.auth.store.users import Users


async def log_in(context: Context, email: str, password: str, origin: Origin) -> Tokens | SecondStep:
    """Tokens of a new session, or the second step where the account has a second factor.

    Raises `InvalidCredentials`, `TooManyAttempts` or `AccountSuspended`.
    """
    rules = password_rules(context.settings, email, origin)
    async with context.passwords.turn() as turn:
        async with context.read() as connection:
            user = await Users(connection, context.vault).find_by_email(email)
        await refuse_if_blocked(context, rules, user, origin)
        checked = await turn.verify(user.password_hash if user else None, normalised(password))
        if user is None or not checked.right:
            async with context.unit_of_work() as work:
                await count_attempt(work, rules)
                subject_id = user.id if user else None
                await work.audit("session.login_failed", origin=origin, actor_id=None, subject_id=subject_id)
            raise InvalidCredentials("Check both, or set a new password with “forgot password”.")
    secret, methods = new_refresh_secret(), (method_reference("password"),)
    async with context.unit_of_work() as work:
        user = await _still_the_same(work, user)
        if checked.better_hash:
            user = user.with_better_hash(checked.better_hash)
            await work.users.save(user)
        second_step = await begin_second_step(context, work, user, methods, origin)
        if second_step is not None:
            return second_step
        session = await open_session(context, work, user, secret, origin, methods=methods)
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
