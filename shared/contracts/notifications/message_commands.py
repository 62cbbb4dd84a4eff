"""Messages that a service asks to be sent to one address, outside the events that people are told about anyway."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared.messaging.envelope import Command


class SendEmail(Command):
    """Send one e-mail from a template. For links and codes, which only their addressee may see.

    `data` fills the template. After `expires_at` the message is useless and is not sent.
    """

    type: ClassVar[str] = "notifications.email.send"

    message_id: UUID
    template: str
    to: str
    language: str = "en"
    data: dict[str, str]
    expires_at: datetime | None = None
