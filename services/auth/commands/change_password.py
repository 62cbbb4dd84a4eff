"""Choose another password: with the present one, or with a mailed link when it is forgotten."""

from datetime import datetime, timedelta
from uuid import UUID

from services.auth.commands.end_session import end_sessions
from services.auth.commands.limit_attempts import (
    count_attempt,
    count_wrong_secret,
    forget_attempts,
    mail_allowed,
    password_rules,
    refuse_if_blocked,
    refuse_wrong_secrets,
)
from services.auth.commands.tell_user import mail_link, send_mail
from services.auth.commands.verify_email import confirm_address
from services.auth.context import Context
from services.auth.domain.links import MailedLink, hash_of
from services.auth.domain.origin import Origin
from services.auth.domain.passwords import accepted, normalised
from services.auth.domain.problems import LinkInvalid, UserNotFound, WrongPassword
from services.auth.domain.user import User
from services.auth.store.links import Links
from services.auth.store.unit_of_work import AuthUnitOfWork
from services.auth.store.users import Users
from shared.contracts.auth.user_events import PasswordChanged

_LINK_HINT = "Each link works once and for a limited time. Ask for a new one with “forgot password”."


async def request_password_reset(context: Context, email: str, origin: Origin) -> None:
    """Mail a link to the owner of `email`, if there is one."""
    async with context.unit_of_work() as work:
        allowed = await mail_allowed(work, email, "password_reset")
        user = await work.users.find_by_email(email, lock=True)
        if user is not None and user.active and allowed:
            await mail_link(context, work, user, "reset_password", "password_reset")
        subject_id = user.id if user else None
        await work.audit("user.password_reset_requested", origin=origin, actor_id=None, subject_id=subject_id)


async def reset_password(context: Context, secret: str, new_password: str, origin: Origin) -> None:
    """Set the password of the account that a mailed link belongs to, and end all of its sessions.

    Using the link proves that the address is the owner's. Raises `LinkInvalid`, or `InvalidRequest` for a password that
    is refused; then the link can be used again.
    """
    await refuse_wrong_secrets(context, origin)
    owner = await _owner_of(context, secret, origin)
    password = accepted(new_password, field="new_password", about=(owner.email, owner.full_name))
    password_hash = await context.passwords.hash(password)
    async with context.unit_of_work() as work:
        link = await work.links.find("reset_password", hash_of(secret), lock=True)
        user = await work.users.find(link.user_id, lock=True) if link else None
        if link is None or user is None or not _opens(link, user, work.now):
            raise LinkInvalid(_LINK_HINT)
        user = await confirm_address(work, user, origin)
        await _set_password(work, user, password_hash, origin, keep_session_id=None)
        rules = password_rules(context.settings, user.email, origin)
        await forget_attempts(work, rules, "account_from_address", "account")


async def change_password(
    context: Context, user_id: UUID, session_id: UUID, current_password: str, new_password: str, origin: Origin
) -> None:
    """Set the password of the caller, and end all other sessions.

    Raises `WrongPassword`, `TooManyAttempts`, or `InvalidRequest` for a password that is refused.
    """
    async with context.read() as connection:
        user = await Users(connection, context.vault).find(user_id)
    if user is None:
        raise UserNotFound
    password = accepted(new_password, field="new_password", about=(user.email, user.full_name))
    rules = password_rules(context.settings, user.email, origin)
    async with context.passwords.turn() as turn:
        await refuse_if_blocked(context, rules, user, origin)
        if not (await turn.verify(user.password_hash, normalised(current_password))).right:
            async with context.unit_of_work() as work:
                await count_attempt(work, rules)
                await work.audit("user.password_change_failed", origin=origin, actor_id=user_id, subject_id=user_id)
            raise WrongPassword("Give the password that you log in with now.")
        password_hash = await turn.hash(password)
    async with context.unit_of_work() as work:
        present = await work.users.find(user_id, lock=True)
        if present is None:
            raise UserNotFound
        if present.password_hash != user.password_hash:
            raise WrongPassword("The password was changed a moment ago. Use the new one.")
        await _set_password(work, present, password_hash, origin, keep_session_id=session_id)
        await forget_attempts(work, rules, "account_from_address")


async def _owner_of(context: Context, secret: str, origin: Origin) -> User:
    """Whose link it is; asked before the costly hash is made, and again when it is stored."""
    async with context.read() as connection:
        link = await Links(connection, context.vault).find("reset_password", hash_of(secret))
        user = await Users(connection, context.vault).find(link.user_id) if link else None
    if link is None or user is None or not _opens(link, user, context.clock.now()):
        await count_wrong_secret(context, origin)
        raise LinkInvalid(_LINK_HINT)
    return user


def _opens(link: MailedLink, user: User, now: datetime) -> bool:
    return link.usable(now) and link.email == user.email and user.active


async def _set_password(
    work: AuthUnitOfWork, user: User, password_hash: str, origin: Origin, *, keep_session_id: UUID | None
) -> None:
    changed = user.with_password(password_hash, work.now)
    await work.users.save(changed)
    await work.links.use_up(user.id, "reset_password", work.now)
    await end_sessions(work, user.id, reason="password_changed", origin=origin, actor_id=user.id, but=keep_session_id)
    work.outbox.publish(PasswordChanged(user_id=user.id, email=user.email), aggregate_id=user.id)
    changed_at = f"{work.now:%Y-%m-%d %H:%M} UTC"
    send_mail(work, changed, "password_changed", expires_in=timedelta(days=7), changed_at=changed_at)
    await work.audit("user.password_changed", origin=origin, actor_id=user.id, subject_id=user.id)
