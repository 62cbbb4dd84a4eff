"""The service on its own database, with a mail server beside it and a clock that moves when told to."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from services.notifications.commands.deliver_emails import deliver_emails
from services.notifications.consumers import CONSUMERS
from services.notifications.context import Context
from services.notifications.main import build
from services.notifications.settings import Settings
from shared.clock import FixedClock
from shared.ids import new_id
from shared.messaging.consumer import Delivery
from shared.messaging.envelope import Envelope, Message
from shared.messaging.inbox import AlreadyHandled
from shared.messaging.sealing import seal
from shared.service import Service
from tests.service.notifications.mail_server import MailServer, running_mail_server
from tests.support.identity import bearer, platform_for_tests
from tests.unit.notifications.samples import registered

START = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


@dataclass
class Notifications:
    """The service under test, and what tests do with it."""

    service: Service
    clock: FixedClock
    http: httpx.AsyncClient
    owner: asyncpg.Connection
    mail: MailServer

    @property
    def context(self) -> Context:
        """What its use cases get."""
        context: Context = self.service.context
        return context

    def envelope(self, message: Message, *, id: UUID | None = None, time: datetime | None = None) -> Envelope:  # noqa: A002
        """`message` on its way, sealed as its sender's outbox does it."""
        plain = Envelope.of(
            message,
            id=id or new_id(),
            source="test",
            time=time or self.clock.now(),
            aggregate_id=new_id(),
            correlation_id="test",
        )
        return seal(plain, message, self.context.vault)

    async def handle(self, message: Message, envelope: Envelope | None = None) -> bool:
        """Give a message to its consumer; whether it was new."""
        try:
            await CONSUMERS[type(message)](self.context, Delivery(envelope or self.envelope(message), message))
        except AlreadyHandled:
            return False
        return True

    async def know(self, *users: tuple[UUID, str]) -> None:
        """Let people be registered, and forget what they were told about that."""
        for user_id, full_name in users:
            await self.handle(registered(user_id, full_name))
        await self.owner.execute("DELETE FROM notifications.notifications")

    async def deliver(self, *, after: timedelta = timedelta()) -> None:
        """Let time pass, then run the delivery job once."""
        self.clock.advance(after)
        await deliver_emails(self.context)

    async def feed(self, user_id: UUID, **query: Any) -> list[dict[str, Any]]:
        """What a person sees, newest first."""
        response = await self.http.get("/v1/notifications", params=query, headers=bearer(user_id))
        assert response.status_code == 200, response.text
        items: list[dict[str, Any]] = response.json()["items"]
        return items

    async def emails(self) -> list[dict[str, Any]]:
        """Every row of e-mails, oldest first."""
        return [dict(row) for row in await self.owner.fetch("SELECT * FROM notifications.emails ORDER BY created_at, id")]


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    """The mail server."""
    async with running_mail_server() as server:
        yield server


@pytest.fixture
async def notifications(database_url: str, owner: asyncpg.Connection, mail: MailServer) -> AsyncIterator[Notifications]:
    """The service, wired as in production."""
    clock = FixedClock(START)
    settings = Settings(
        database_url=SecretStr(database_url),
        db_pool_size=10,
        smtp_url=SecretStr(f"smtp://127.0.0.1:{mail.port}"),
        smtp_timeout_seconds=20,
        public_url="https://lendery.example.org",
    )
    service = build(settings, platform_for_tests(clock))
    transport = httpx.ASGITransport(app=service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://notifications") as http:
        yield Notifications(service, clock, http, owner, mail)
    await service.database.dispose()
