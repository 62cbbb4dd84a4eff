"""The SMTP client: one connection a session, opened when first needed and again after it was lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from email.message import EmailMessage

from aiosmtplib import SMTP

from services.notifications.providers.base import Accepted, Deferred, Outcome, Unreachable
from services.notifications.providers.smtp.mapping import TROUBLE, outcome_of, reason_of
from services.notifications.providers.smtp.server import SmtpServer

_START_TLS = {"required": True, "offered": None, "never": False}


class SmtpSession:
    """One connection at a time to the server."""

    def __init__(self, client: SMTP) -> None:
        self._client = client

    async def send(self, message: EmailMessage) -> Outcome:
        """Offer one e-mail. What becomes of it is in the outcome; nothing of the network's is raised."""
        if not self._client.is_connected:
            self._client.close()
            try:
                await self._client.connect()
            except TROUBLE as error:
                return Unreachable(reason_of(error))
        try:
            await self._client.send_message(message)
        except TROUBLE as error:
            outcome = outcome_of(error)
            if isinstance(outcome, Unreachable) or (isinstance(outcome, Deferred) and outcome.unknown):
                self._client.close()
            return outcome
        return Accepted()


class SmtpMailer:
    """Sends through `server`, whose every answer may take `timeout_seconds`; greets it as `hello_name`."""

    def __init__(self, server: SmtpServer, *, hello_name: str, timeout_seconds: float) -> None:
        self._server = server
        self._hello_name = hello_name
        self._timeout_seconds = timeout_seconds

    @asynccontextmanager
    async def session(self) -> AsyncIterator[SmtpSession]:
        """A session that says goodbye at the end."""
        client = self._client()
        try:
            yield SmtpSession(client)
            await _quit(client)
        finally:
            client.close()

    async def ping(self) -> None:
        """Connect, log in and leave. Raises what goes wrong."""
        client = self._client()
        try:
            await client.connect()
            await client.noop()
            await _quit(client)
        finally:
            client.close()

    def _client(self) -> SMTP:
        return SMTP(
            hostname=self._server.host,
            port=self._server.port,
            username=self._server.username,
            password=self._server.password,
            use_tls=self._server.tls,
            start_tls=_START_TLS[self._server.start_tls],
            local_hostname=self._hello_name,
            timeout=self._timeout_seconds,
        )


async def _quit(client: SMTP) -> None:
    if client.is_connected:
        with suppress(*TROUBLE):
            await client.quit()
