"""Another e-mail address for an account: it counts when its owner has opened the link that was sent there."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from services.auth.commands.limit_attempts import mail_allowed
from services.auth.commands.tell_user import mail_link, publish_updated, send_mail
from services.auth.context import Context
from services.auth.domain.links import hash_of
from services.auth.domain.origin import Origin
from services.auth.domain.problems import EmailUnchanged, LinkInvalid, UserNotFound
from services.auth.domain.user import User
from shared.contracts.auth.user_events import EmailVerified

_LINK_HINT = "Each link works once and for a limited time. Ask for the change again after logging in."


async def request_email_change(context: Context, user_id: UUID, email: str, origin: Origin) -> None:
    """Mail a link to the new address. One that has an account already gets a letter of another kind: the caller learns nothing.

    Raises `EmailUnchanged`.
    """
    async with context.unit_of_work() as work:
        user = await work.users.find(user_id, lock=True)
        if user is None:
            raise UserNotFound
        if user.email == email:
            raise EmailUnchanged("Give the address that you want to have instead.")
        # Counted for who asks as well, so that nobody writes to many addresses in our name.
        allowed = await mail_allowed(work, user.email, "change_email") and await mail_allowed(work, email, "change_email")
        owner = await work.users.find_by_email(email)
        if allowed and owner is None:
            await mail_link(context, work, user, "change_email", "change_email", to=email)
        elif allowed and owner is not None:
            link = context.settings.public_url
            send_mail(work, owner, "registration_repeated", expires_in=timedelta(days=1), link=link)
        await work.audit("user.email_change_requested", origin=origin, actor_id=user_id, subject_id=user_id)


async def confirm_email_change(context: Context, secret: str, origin: Origin) -> User:
    """The account with its new address, which is confirmed by this. The old one is told. Raises `LinkInvalid`."""
    async with context.unit_of_work() as work:
        link = await work.links.find("change_email", hash_of(secret), lock=True)
        user = await work.users.find(link.user_id, lock=True) if link else None
        if link is None or user is None or not link.usable(work.now):
            raise LinkInvalid(_LINK_HINT)
        if not user.active:
            raise LinkInvalid("The account is not active. Write to support.")
        if await work.users.email_is_taken(link.email):
            raise LinkInvalid("This address has an account of its own meanwhile.")
        changed = replace(user, email=link.email, email_verified_at=work.now, updated_at=work.now)
        await work.users.save(changed)
        for purpose in ("change_email", "verify_email", "reset_password", "link_identity"):
            await work.links.use_up(user.id, purpose, work.now)
        publish_updated(work, changed)
        work.outbox.publish(EmailVerified(user_id=user.id, email=changed.email), aggregate_id=user.id)
        changed_at = f"{work.now:%Y-%m-%d %H:%M} UTC"
        week = timedelta(days=7)
        send_mail(work, user, "email_changed", expires_in=week, changed_at=changed_at, new_email=_masked(changed.email))
        await work.audit("user.email_changed", origin=origin, actor_id=user.id, subject_id=user.id)
        return changed


def _masked(email: str) -> str:
    """Enough of it for its owner, for whoever reads the old mailbox."""
    name, _, domain = email.partition("@")
    return f"{name[:2]}…@{domain}"
