"""An e-mail, from its rendered words to the MIME message that goes on the wire."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from uuid import UUID

from services.notifications.domain.texts import one_line

# How long an e-mail about an event is worth sending, when nothing says otherwise.
WORTH_SENDING = timedelta(days=2)
FIRST_RETRY = timedelta(seconds=10)
LONGEST_RETRY = timedelta(minutes=30)
# How long the e-mails wait when the server cannot be reached at all; that is no attempt at them.
SERVER_RETRY = timedelta(seconds=5)

# Addresses without comments, quotes or control characters: nothing that could end a header or an SMTP command.
_ADDRESS = re.compile(r"[^\s\x00-\x20\x7f\"(),:;<>@\[\\\]]{1,64}@[^\s\x00-\x20\x7f\"(),:;<>@\[\\\]]{1,255}")


@dataclass(frozen=True)
class Content:
    """The words of an e-mail: a subject of one line, and the same text twice."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Letter:
    """An e-mail to one address. Its id makes its Message-ID, the same at every attempt."""

    id: UUID
    template: str
    recipient: str
    content: Content
    created_at: datetime
    give_up_at: datetime
    attempts: int = 0


def is_address(text: str) -> bool:
    """Whether `text` can be the address of an e-mail."""
    return text.isprintable() and _ADDRESS.fullmatch(text) is not None


def retry_after(attempts: int) -> timedelta:
    """How long to wait after `attempts` (1 or more) attempts: doubling, up to half an hour."""
    return min(FIRST_RETRY * (1 << min(attempts - 1, 20)), LONGEST_RETRY)


def mime_message(letter: Letter, sender: Address) -> EmailMessage:
    """The message on the wire. Raises `ValueError` when the recipient is no address."""
    if not is_address(letter.recipient):
        raise ValueError("the recipient is not an e-mail address")
    user, _, domain = letter.recipient.rpartition("@")
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = Address(username=user, domain=_ascii(domain))
    message["Subject"] = one_line(letter.content.subject)
    message["Date"] = format_datetime(letter.created_at)
    message["Message-ID"] = f"<{letter.id}@{_ascii(sender.domain)}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.content.text, cte="quoted-printable")
    message.add_alternative(letter.content.html, subtype="html", cte="quoted-printable")
    return message


def _ascii(domain: str) -> str:
    try:
        return domain if domain.isascii() else domain.encode("idna").decode()
    except UnicodeError as error:
        raise ValueError("the recipient's domain is not a domain name") from error
