"""What a use case of lending may use."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request

from services.lending.settings import Settings
from services.lending.store.unit_of_work import Reading, UnitOfWork
from shared.clock import Clock
from shared.crypto import Vault
from shared.db import Database
from shared.messaging.consumer import Delivery


@dataclass(frozen=True)
class Context:
    """Handed to every command and query."""

    settings: Settings
    clock: Clock
    database: Database
    vault: Vault

    def unit_of_work(self, delivery: Delivery[Any] | None = None) -> UnitOfWork:
        """A transaction to write in; with a delivery, recorded in the inbox."""
        return UnitOfWork(self.database, self.clock, self.vault, delivery=delivery)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Reading]:
        """The stores in a read-only transaction."""
        async with self.database.read() as connection:
            yield Reading(connection, self.vault)


async def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


Ctx = Annotated[Context, Depends(_context)]
"""Endpoint parameter: the context."""
