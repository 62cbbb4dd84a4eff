"""Messages that a service asks to be sent to one address, outside the events that people are told about anyway."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared.messaging.envelope import Command


class SendEmail(Command):
    """Send one e-mail from a template. For links and codes, which only their addressee may see.

    `data` fills the template. What must not be read on the way, such as a code, is in `sealed`: more of `data`, under the
    encryption key that both services have (`shared.crypto.seal_data` with `message_id`). After `expires_at` the message is
    useless and is not sent.
    """

    type: ClassVar[str] = "notifications.email.send"

    message_id: UUID
    template: str
    to: str
    language: str = "en"
    data: dict[str, str]
    expires_at: datetime | None = None
    sealed: str | None = None


class SendSms(Command):
    """Send one text message from a template to a number (E.164). For codes, which only their addressee may see.

    `sealed` is what fills the template, as in `SendEmail`; without it the template needs nothing.
    """

    type: ClassVar[str] = "notifications.sms.send"

    message_id: UUID
    template: str
    to: str
    language: str = "en"
    sealed: str | None = None
    expires_at: datetime
