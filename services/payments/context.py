"""What commands and queries of payments work with."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Annotated, Any, TypeVar, cast

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from services.payments.providers.base import Answer, NoAnswer, Provider, Providers, Unknown, ask
from services.payments.settings import Settings
from services.payments.store.unit_of_work import PaymentsWork
from shared.breaker import Breaker
from shared.clock import Clock
from shared.crypto import Vault
from shared.db.database import Database
from shared.idempotency import IdempotentRequest, KeyInUse
from shared.messaging.consumer import Delivery

T = TypeVar("T")

_FAILURES, _LEFT_ALONE_SECONDS = 5, 5.0


@dataclass(frozen=True)
class Context:
    """The service's means: database, clock, providers by name, and the vault for payout destinations."""

    settings: Settings
    clock: Clock
    database: Database
    providers: Providers
    vault: Vault
    _under_way: set[tuple[str, str]] = field(default_factory=set)
    _breakers: dict[str, Breaker] = field(default_factory=dict)

    def unit_of_work(self, delivery: Delivery[Any] | None = None) -> PaymentsWork:
        """A new transaction."""
        return PaymentsWork(self.database, self.clock, delivery=delivery)

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A read-only connection."""
        return self.database.read()

    async def ask(self, name: str, question: Callable[[Provider], Awaitable[Answer[T]]]) -> Answer[T]:
        """A provider's answer within the time it is given. Never inside a unit of work.

        One that has not answered some times in a row is left alone for a while: waiting for it would keep the handlers
        from deposits and withdrawals that do not need it.
        """
        provider = self.providers.get(name)
        if provider is None:
            return Unknown("the provider is not configured any more")
        breaker = self._breakers.setdefault(name, Breaker(failures=_FAILURES, seconds=_LEFT_ALONE_SECONDS))
        if breaker.wait_seconds(monotonic()):
            return Unknown("not asked: the provider has not answered lately")
        answer = await ask(question(provider), timeout_seconds=self.settings.provider_timeout_seconds)
        if isinstance(answer, NoAnswer):
            breaker.failed(monotonic())
        else:
            breaker.succeeded()
        return answer

    @asynccontextmanager
    async def alone(self, request: IdempotentRequest) -> AsyncIterator[None]:
        """Keep this process from running a request twice at once. Raises `KeyInUse`.

        For requests that call a provider, which no transaction may span. It is a courtesy: another process may run
        the same request, and then the provider is asked twice with one reference.
        """
        key = (request.owner, request.key)
        if key in self._under_way:
            raise KeyInUse("Wait for its answer, then send the request again with the same key.", headers={"Retry-After": "1"})
        self._under_way.add(key)
        try:
            yield
        finally:
            self._under_way.discard(key)


async def _context(request: Request) -> Context:
    return cast(Context, request.app.state.context)


Ctx = Annotated[Context, Depends(_context)]
"""Endpoint parameter: the service's context."""
