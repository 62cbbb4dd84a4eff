"""What the sandbox provider's endpoints and its courier work with."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from services.payments.providers.sandbox.server.settings import SandboxSettings
from shared.clock import Clock
from shared.db.database import Database


@dataclass(frozen=True)
class SandboxContext:
    """`wake` tells the courier that there is something to send."""

    settings: SandboxSettings
    clock: Clock
    database: Database
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction that commits at the end of the block."""
        async with self.database.engine.begin() as connection:
            yield connection

    def checkout_url(self, payment_id: object) -> str:
        """The page on which a payment is approved or declined."""
        return f"{self.settings.public_url}/sandbox/checkout/{payment_id}"


async def _context(request: Request) -> SandboxContext:
    return cast(SandboxContext, request.app.state.context)


Ctx = Annotated[SandboxContext, Depends(_context)]
"""Endpoint parameter: the sandbox's context."""
