"""What other services and the owner are told about an account."""

import secrets
from dataclasses import replace
from datetime import timedelta

from services.auth.context import Context
from services.auth.domain.links import MailedLink, Purpose, hash_of, link_to
from services.auth.domain.user import User
from services.auth.store.unit_of_work import AuthUnitOfWork
from shared.contracts.auth.user_events import UserRegistered, UserUpdated
from shared.contracts.notifications.message_commands import SendEmail, SendSms
from shared.crypto import seal_data
from shared.ids import new_id


def publish_registered(work: AuthUnitOfWork, user: User, *, email_verified: bool) -> None:
    """Tell everybody that the account is there."""
    work.outbox.publish(
        UserRegistered(
            user_id=user.id,
            email=user.email,
            full_name=user.full_name,
            phone=user.phone,
            language=user.language,
            home_currency=user.home_currency,
            email_verified=email_verified,
            roles=list(user.roles),
            registered_at=user.created_at,
        ),
        aggregate_id=user.id,
    )


def publish_updated(work: AuthUnitOfWork, user: User) -> None:
    """Tell everybody what the account is now."""
    work.outbox.publish(
        UserUpdated(
            user_id=user.id,
            email=user.email,
            full_name=user.full_name,
            phone=user.phone,
            language=user.language,
            roles=list(user.roles),
            status=user.status,
        ),
        aggregate_id=user.id,
    )


def send_mail(work: AuthUnitOfWork, user: User, template: str, *, expires_in: timedelta, **data: str) -> None:
    """Write to the owner. Only the service that sends it can read on the way to whom and what."""
    message_id = new_id()
    content = {"full_name": user.full_name, **data, "to": user.email}
    work.outbox.send(
        SendEmail(
            message_id=message_id,
            template=template,
            language=user.language,
            sealed=seal_data(work.vault, content, message_id=message_id),
            expires_at=work.now + expires_in,
        ),
        aggregate_id=user.id,
    )


def text_code(work: AuthUnitOfWork, user: User, number: str, template: str, code: str, *, expires_in: timedelta) -> None:
    """Send a code to a number by SMS. Only the service that sends it can read on the way to whom and what."""
    message_id = new_id()
    work.outbox.send(
        SendSms(
            message_id=message_id,
            template=template,
            language=user.language,
            sealed=seal_data(work.vault, {"code": code, "to": number}, message_id=message_id),
            expires_at=work.now + expires_in,
        ),
        aggregate_id=user.id,
    )


async def mail_link(
    context: Context, work: AuthUnitOfWork, user: User, purpose: Purpose, template: str, *, to: str | None = None, **data: str
) -> MailedLink:
    """Write to the owner, or to the address `to`, with a link that works once, and in place of earlier ones."""
    settings = context.settings
    good_for = (
        timedelta(minutes=settings.auth_reset_link_minutes)
        if purpose == "reset_password"
        else timedelta(hours=settings.auth_verify_link_hours)
    )
    secret = secrets.token_urlsafe(32)
    await work.links.use_up(user.id, purpose, work.now)
    link = MailedLink(
        id=new_id(),
        user_id=user.id,
        purpose=purpose,
        email=to or user.email,
        token_hash=hash_of(secret),
        created_at=work.now,
        expires_at=work.now + good_for,
    )
    await work.links.add(link)
    addressee = replace(user, email=link.email)
    send_mail(work, addressee, template, expires_in=good_for, link=link_to(purpose, settings.public_url, secret), **data)
    return link
