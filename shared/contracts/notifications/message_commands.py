"""Messages that a service asks to be sent to one address, outside the events that people are told about anyway."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared.messaging.envelope import Command


class SendEmail(Command):
    """Send one e-mail from a template. For links and codes, which only their addressee may see.

    `sealed` holds `to`, the address, and what fills the template (`full_name`, `link`, `code` ...), under the encryption key
    that both services have: `shared.crypto.seal_data` with `message_id`. Who reads messages on their way, in an outbox or a
    dead letter learns neither who is written to nor what. After `expires_at` the message is useless and is not sent.
    """

    type: ClassVar[str] = "notifications.email.send"
    version: ClassVar[int] = 2

    message_id: UUID
    template: str
    language: str = "en"
    sealed: str
    expires_at: datetime | None = None


class SendSms(Command):
    """Send one text message from a template to a number. For codes, which only their addressee may see.

    `sealed` holds `to`, the number (E.164), and what fills the template, as in `SendEmail`.
    """

    type: ClassVar[str] = "notifications.sms.send"
    version: ClassVar[int] = 2

    message_id: UUID
    template: str
    language: str = "en"
    sealed: str
    expires_at: datetime


class SendEmailV1(Command):
    """`SendEmail` as it was: `to` and `data` can be read by whoever reads messages. Still understood, no longer sent.

    What must not be read on the way, such as a code, is in `sealed`: more of `data`.
    """

    type: ClassVar[str] = "notifications.email.send"

    message_id: UUID
    template: str
    to: str
    language: str = "en"
    data: dict[str, str]
    expires_at: datetime | None = None
    sealed: str | None = None


class SendSmsV1(Command):
    """`SendSms` as it was: `to` can be read by whoever reads messages. Still understood, no longer sent.

    `sealed` is what fills the template; without it the template needs nothing.
    """

    type: ClassVar[str] = "notifications.sms.send"

    message_id: UUID
    template: str
    to: str
    language: str = "en"
    sealed: str | None = None
    expires_at: datetime
