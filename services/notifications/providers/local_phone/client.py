"""Shows text messages in the mailbox instead of sending them."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from services.notifications.providers.base import Mailer, Outcome

DOMAIN = "sms.lendery.test"


class LocalPhone:
    """Every number has a mailbox: `+254712345678@sms.lendery.test`."""

    def __init__(self, mailer: Mailer, sender: Address) -> None:
        self._mailer = mailer
        self._sender = sender

    async def send(self, number: str, words: str) -> Outcome:
        """Put one message into the mailbox of the number."""
        message = EmailMessage(policy=SMTP)
        message["From"] = self._sender
        message["To"] = Address(username=number, domain=DOMAIN)
        message["Subject"] = f"SMS to {number}"
        message.set_content(words)
        async with self._mailer.session() as session:
            return await session.send(message)

    async def close(self) -> None:
        """Nothing is open."""
