"""Providers that misbehave: each wraps the real adapter and spoils something."""

import asyncio
from collections.abc import Callable
from typing import Any

from services.payments.providers.base import Answer, Capabilities, Checkout, PaymentOrder, PayoutOrder, Settled, Unknown


class Faulty:
    """The real provider, until told otherwise.

    `before` runs before a call is passed on (and may raise), `after` gets the real answer and gives what we are told.
    `calls` has the name and reference of every call that reached the provider.
    """

    def __init__(self, real: Any) -> None:
        self.real = real
        self.calls: list[tuple[str, str]] = []
        self.before: Callable[[str], None] = lambda _: None
        self.after: Callable[[str, Any], Any] = lambda _, answer: answer
        self.pause_seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    @property
    def capabilities(self) -> Capabilities:
        """Those of the real one."""
        return self.real.capabilities

    def named(self, operation: str) -> list[str]:
        """References of the calls of `operation` that reached the provider."""
        return [reference for name, reference in self.calls if name == operation]

    async def initiate(self, order: PaymentOrder) -> Answer[Checkout]:
        return await self._call("initiate", order.reference, self.real.initiate, order)

    async def sync(self, reference: str) -> Answer[Settled]:
        return await self._call("sync", reference, self.real.sync, reference)

    async def payout(self, order: PayoutOrder) -> Answer[Settled]:
        return await self._call("payout", order.reference, self.real.payout, order)

    async def payout_sync(self, reference: str) -> Answer[Settled]:
        return await self._call("payout_sync", reference, self.real.payout_sync, reference)

    async def _call(self, name: str, reference: str, call: Any, argument: Any) -> Any:
        self.before(name)
        self.calls.append((name, reference))
        await asyncio.sleep(self.pause_seconds)
        return self.after(name, await call(argument))


def away(operation: str) -> None:
    """A `before` that never reaches the provider."""
    raise ConnectionError("nobody answers")


def answer_lost(operation: str, answer: Any) -> Any:
    """An `after` that loses what the provider has done."""
    return Unknown("the connection was reset")


class ProcessKilled(BaseException):
    """Stands for kill -9: nothing after it runs."""
