"""What sending an e-mail or a text message means to the rest of the service, whoever carries it."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol


@dataclass(frozen=True)
class Accepted:
    """The server has taken responsibility for the message; `reference` is its own name for it, where it gives one."""

    reference: str | None = None


@dataclass(frozen=True)
class Deferred:
    """Not now, or nobody knows: the same e-mail must be offered again later. `reason` holds no personal data.

    `unknown` means that the answer was lost: the server may have accepted the e-mail all the same.
    """

    reason: str
    unknown: bool = False


@dataclass(frozen=True)
class Refused:
    """The server will never take this e-mail. `reason` holds no personal data."""

    reason: str


@dataclass(frozen=True)
class Unreachable:
    """The server cannot be used at all right now; it says nothing about this e-mail."""

    reason: str


Outcome = Accepted | Deferred | Refused | Unreachable


class MailSession(Protocol):
    """Sends e-mails one after the other. Never raises for what the server or the network does."""

    async def send(self, message: EmailMessage) -> Outcome:
        """Offer one e-mail to the server."""
        ...


class Mailer(Protocol):
    """A way to send e-mails."""

    def session(self) -> AbstractAsyncContextManager[MailSession]:
        """A session, to be used by one task."""
        ...

    async def ping(self) -> None:
        """Raise when the server cannot be used."""
        ...


class SmsGateway(Protocol):
    """A way to send text messages."""

    async def send(self, number: str, words: str) -> Outcome:
        """Hand in one message to a number (E.164). Never raises for what the provider or the network does."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
