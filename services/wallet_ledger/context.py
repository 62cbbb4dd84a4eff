"""What commands and queries of wallet-ledger work with."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from services.wallet_ledger.checkpoint_keys import CheckpointKeys
from services.wallet_ledger.settings import Settings
from services.wallet_ledger.store.poster import Poster
from services.wallet_ledger.store.unit_of_work import LedgerWork
from services.wallet_ledger.store.wallet_lookup import WalletLookup
from shared.clock import Clock
from shared.crypto import Vault
from shared.db.database import Database
from shared.messaging.consumer import Delivery


@dataclass(frozen=True)
class Context:
    """The service's means: database, clock, and the poster, through which all money moves."""

    settings: Settings
    clock: Clock
    database: Database
    poster: Poster
    vault: Vault

    @cached_property
    def wallet_lookup(self) -> WalletLookup:
        """Wallets by id, read for many requests together."""
        return WalletLookup(self.database)

    @cached_property
    def checkpoint_keys(self) -> CheckpointKeys:
        """What checkpoints are signed with."""
        return self.settings.checkpoint_keys()

    def unit_of_work(self, delivery: Delivery[Any] | None = None) -> LedgerWork:
        """A new transaction, for everything but money."""
        return LedgerWork(self.database, self.clock, self.vault, delivery=delivery)

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A read-only connection."""
        return self.database.read()


async def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


Ctx = Annotated[Context, Depends(_context)]
"""Endpoint parameter: the context of the service."""
