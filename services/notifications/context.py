"""What every use case of notifications is given."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifications.providers.base import Mailer, SmsGateway
from services.notifications.rendering import Renderer
from services.notifications.settings import Settings
from services.notifications.store.unit_of_work import NotificationsUnitOfWork
from shared.clock import Clock
from shared.crypto import Vault
from shared.db import Database
from shared.messaging.consumer import Delivery


@dataclass(frozen=True)
class Context:
    """Settings, clock, database, words and the way out."""

    settings: Settings
    clock: Clock
    database: Database
    vault: Vault
    renderer: Renderer
    mailer: Mailer
    sms: SmsGateway

    def unit_of_work(self, delivery: Delivery[Any] | None = None) -> NotificationsUnitOfWork:
        """A new transaction; with `delivery`, one that a message has effect in once."""
        return NotificationsUnitOfWork(self.database, self.clock, self.vault, delivery=delivery)

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A read-only connection for queries."""
        return self.database.read()


async def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


Ctx = Annotated[Context, Depends(_context)]
"""Endpoint parameter: the context of the service."""
