"""A real SMTP server in the test's event loop, which can be told to misbehave."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

Behaviour = Callable[[SMTP, Envelope], str | None]
"""Given an e-mail, the answer to it; None accepts it."""


def accept(server: SMTP, envelope: Envelope) -> str | None:
    """The usual behaviour."""
    return None


@dataclass
class MailServer:
    """`accepted` holds what the server took responsibility for, in order; `offered` counts what reached it."""

    accepted: list[EmailMessage] = field(default_factory=list)
    offered: int = 0
    sessions: int = 0
    on_recipient: Behaviour = accept
    on_data: Behaviour = accept
    login: tuple[str, str] | None = None
    port: int = 0
    _server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; on the same port as before, if there was one."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse connections."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def subjects(self) -> list[str]:
        """Of what was accepted."""
        return [str(message["Subject"]) for message in self.accepted]

    def _protocol(self) -> SMTP:
        self.sessions += 1
        return SMTP(
            self,
            hostname="mail.test",
            loop=asyncio.get_running_loop(),
            enable_SMTPUTF8=True,
            auth_require_tls=False,
            authenticator=self._authenticate,
        )

    def _authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == self.login, handled=False)

    async def handle_RCPT(  # noqa: N802 aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Called at RCPT TO."""
        self.offered += 1
        answer = self.on_recipient(server, envelope)
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Called when a whole e-mail has arrived."""
        answer = self.on_data(server, envelope)
        if answer is None or answer.startswith("2"):
            message = message_from_bytes(envelope.content or b"", policy=default)
            assert isinstance(message, EmailMessage)
            self.accepted.append(message)
        return answer or "250 OK"


@asynccontextmanager
async def running_mail_server() -> AsyncIterator[MailServer]:
    """A server that accepts everything until told otherwise."""
    server = MailServer()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def times(number: int, misbehave: Behaviour) -> Behaviour:
    """Misbehave the first `number` times, then accept."""
    left = number

    def behave(server: SMTP, envelope: Envelope) -> str | None:
        nonlocal left
        left -= 1
        return misbehave(server, envelope) if left >= 0 else None

    return behave


def answer(text: str) -> Behaviour:
    """Answer `text`."""
    return lambda server, envelope: text


def take_it_and_hang_up(server: SMTP, envelope: Envelope) -> str | None:
    """Accept the e-mail, and lose the connection before the answer is out."""
    assert server.transport is not None
    server.transport.abort()
    return "250 OK"
