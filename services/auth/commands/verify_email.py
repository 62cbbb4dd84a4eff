"""Confirm an address with the secret that was sent to it, or send another."""

from uuid import UUID

from services.auth.commands.limit_attempts import mail_allowed
from services.auth.commands.tell_user import mail_link
from services.auth.context import Context
from services.auth.domain.links import hash_of
from services.auth.domain.origin import Origin
from services.auth.domain.problems import LinkInvalid
from services.auth.domain.user import User
from services.auth.store.unit_of_work import AuthUnitOfWork
from shared.contracts.auth.user_events import EmailVerified


async def verify_email(context: Context, secret: str, origin: Origin) -> User:
    """The account whose address is confirmed now. Raises `LinkInvalid`."""
    async with context.unit_of_work() as work:
        link = await work.links.find("verify_email", hash_of(secret), lock=True)
        user = await work.users.find(link.user_id, lock=True) if link else None
        if link is None or user is None or not link.usable(work.now) or link.email != user.email:
            raise LinkInvalid("Each link works once and for a limited time. Ask for a new one after logging in.")
        await work.links.use_up(user.id, "verify_email", work.now)
        return await confirm_address(work, user, origin)


async def confirm_address(work: AuthUnitOfWork, user: User, origin: Origin) -> User:
    """The account with its address confirmed, and everybody told if that is new."""
    if user.email_verified_at is not None:
        return user
    verified = user.with_email_verified(work.now)
    await work.users.save(verified)
    work.outbox.publish(EmailVerified(user_id=user.id, email=user.email), aggregate_id=user.id)
    await work.audit("user.email_verified", origin=origin, actor_id=user.id, subject_id=user.id)
    return verified


async def resend_verification(context: Context, user_id: UUID) -> None:
    """Send another link, unless the address is confirmed or too many were sent."""
    async with context.unit_of_work() as work:
        user = await work.users.find(user_id, lock=True)
        if user is None or user.email_verified_at is not None:
            return
        if await mail_allowed(work, user.email, "verify_email"):
            await mail_link(context, work, user, "verify_email", "verify_email")
