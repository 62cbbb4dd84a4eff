"""The messaging part of a process: one transport, and for each of its services a dispatcher and a relay, started and
stopped in the order that loses nothing and waits for nothing in vain."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from shared.db.database import Database
from shared.messaging.consumer import ConsumerTable
from shared.messaging.dead_letters import DeadLetters
from shared.messaging.dispatcher import Dispatcher
from shared.messaging.envelope import Message
from shared.messaging.failures import Retries
from shared.messaging.relay import MessageSource, OutboxSource, Relay, RelayLimits, connect_for_relay
from shared.messaging.transport import Transport
from shared.telemetry import metrics


class Participant(Protocol):
    """What messaging needs of a service; `shared.service.Service` is one."""

    name: str
    database: Database
    context: Any
    consumers: ConsumerTable
    handlers_at_once: int
    message_sources: Sequence[Callable[[], MessageSource]]


@dataclass(frozen=True)
class _Running:
    name: str
    relay: Relay
    task: asyncio.Task[None]


class MessagingWorker:
    """Consumes for `services` and relays their outboxes and other sources of messages, until stopped."""

    def __init__(
        self,
        transport: Transport,
        services: Sequence[Participant],
        *,
        retries: Retries | None = None,
        limits: RelayLimits | None = None,
    ) -> None:
        for one in services:
            if one.name != one.database.schema:
                raise ValueError(f"a service's name is its schema, not {one.name} and {one.database.schema}")
        self.transport = transport
        self._services = services
        self._retries = retries
        self._limits = limits
        self._dispatchers: list[Dispatcher] = []
        self._running: list[_Running] = []

    async def start(self, *, platform: Mapping[str, ConsumerTable] | None = None, known: Iterable[type[Message]] = ()) -> None:
        """Declare what the whole platform consumes (default: what these services do), consume, and then relay.

        `platform` has every service's table, whichever process it runs in: an event published before its consumer was
        declared would miss it. Of the `known` messages, only the services here stop getting those that their tables do not
        name: what others want, their own processes know, which may be newer than this one.
        """
        ours = {one.name: one.consumers for one in self._services}
        await self.transport.start()
        await self.transport.declare(platform or ours)
        await self.transport.declare(ours, known)
        self._dispatchers = [
            Dispatcher(
                one.name,
                one.consumers,
                one.context,
                DeadLetters(one.database.engine, one.name),
                retries=self._retries,
                handlers_at_once=one.handlers_at_once,
            )
            for one in self._services
        ]
        for dispatcher in self._dispatchers:
            await self.transport.subscribe(dispatcher)
        for one in self._services:
            for source in (OutboxSource(one.name), *(make() for make in one.message_sources)):
                connect = partial(connect_for_relay, one.database)
                relay = Relay(one.name, connect, self.transport, source=source, limits=self._limits)
                task = asyncio.create_task(relay.run(), name=f"relay {source.name}")
                self._running.append(_Running(source.name, relay, task))

    def faults(self) -> list[str]:
        """What has ended though it should not have, for the readiness check."""
        return [f"relay of {one.name}" for one in self._running if one.task.done()]

    async def measure(self) -> None:
        """Set the queue depth metrics; raises when the broker is away."""
        for queue, depth in (await self.transport.depths()).items():
            metrics.QUEUE_DEPTH.labels(queue).set(depth)

    async def stop(self, *, drain_seconds: float = 10.0) -> None:
        """End: no more retries, then the relays, whose calls run the handlers of a local transport, then the transport."""
        for dispatcher in self._dispatchers:
            dispatcher.stop()
        await asyncio.gather(*(one.relay.stop(drain_seconds=drain_seconds) for one in self._running))
        await asyncio.gather(*(one.task for one in self._running), return_exceptions=True)
        await self.transport.stop(drain_seconds=drain_seconds)
        self._dispatchers.clear()
        self._running.clear()
