"""What auth's commands and queries work with."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from services.auth.domain.user import User
from services.auth.key_ring import KeyRing
from services.auth.passwords import Passwords
from services.auth.providers.kyc import IdentityProvider
from services.auth.providers.openid import OpenIdProvider
from services.auth.settings import Settings
from services.auth.store.kyc import KycSubmissions
from services.auth.store.privacy import PrivacyRequests
from services.auth.store.unit_of_work import AuthUnitOfWork
from shared.clock import Clock
from shared.crypto import Vault
from shared.db import Database
from shared.messaging.consumer import Delivery
from shared.storage import SealedFiles


@dataclass(frozen=True)
class Context:
    """Wired once per process by `main.build`."""

    settings: Settings
    clock: Clock
    database: Database
    vault: Vault
    passwords: Passwords
    key_ring: KeyRing
    files: SealedFiles
    identity_provider: IdentityProvider | None
    openid_providers: Mapping[str, OpenIdProvider]

    def unit_of_work(self, delivery: Delivery[Any] | None = None) -> AuthUnitOfWork:
        """The transaction of one command."""
        return AuthUnitOfWork(self.database, self.clock, self.vault, delivery=delivery)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a read-only transaction."""
        async with self.database.read() as connection:
            yield connection

    def privacy_requests(self, connection: AsyncConnection) -> PrivacyRequests:
        """Exports and erasures, for reading."""
        return PrivacyRequests(connection)

    def kyc_submissions(self, connection: AsyncConnection) -> KycSubmissions:
        """Identity checks, for reading."""
        return KycSubmissions(connection, self.vault)

    def email_verified(self, user: User) -> bool:
        """Whether the address of `user` counts as confirmed: it was, or LENDERY_AUTO_VERIFY says that all are."""
        return user.email_verified_at is not None or self.settings.auto_verify


async def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


Ctx = Annotated[Context, Depends(_context)]
"""Endpoint parameter: the context of the service."""
