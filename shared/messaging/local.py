"""The transport for one process: the relay hands each message straight to the dispatchers.

Nothing is kept here. A message counts as published when every consumer has handled it or stored it as a dead letter, so until
then it is in the sender's outbox, and a killed process delivers it again: the inbox makes that harmless. Messages are
written as JSON and read again, as on the wire.
"""

import asyncio
from collections.abc import Iterable, Mapping

from shared.messaging.consumer import ConsumerTable
from shared.messaging.dispatcher import Dispatcher, Stopped
from shared.messaging.envelope import Envelope, Message
from shared.messaging.listening import Listener
from shared.messaging.transport import Unroutable


class LocalTransport:
    """Delivers by calling. All consumers of the platform must be in this process."""

    def __init__(self) -> None:
        self._dispatchers: dict[str, Dispatcher] = {}
        self._waiting: dict[str, int] = {}
        self._listeners: list[Listener] = []
        self._open = True

    async def start(self) -> None:
        """Nothing to connect to."""

    async def declare(self, consumers: Mapping[str, ConsumerTable], known: Iterable[type[Message]] = ()) -> None:
        """Nothing to declare: consumers subscribe before the relays start."""

    async def subscribe(self, dispatcher: Dispatcher) -> None:
        """Deliver to this consumer. Raises `ValueError` when it has subscribed before."""
        if dispatcher.consumer in self._dispatchers:
            raise ValueError(f"{dispatcher.consumer} has subscribed before")
        self._dispatchers[dispatcher.consumer] = dispatcher
        self._waiting[dispatcher.consumer] = 0

    def listen(self, listener: Listener) -> None:
        """Let it hear what the relays of this process publish."""
        self._listeners.append(listener)
        listener.connected()

    async def publish(self, envelope: Envelope, *, consumer: str | None = None) -> None:
        """Deliver to every consumer of the type, or to `consumer`, and wait until each has dealt with it.

        Raises `Unroutable`, or `ExceptionGroup` of what went wrong with some; those that were done will see a duplicate.
        """
        if not self._open:
            raise Stopped
        addressed = self._addressed(envelope, consumer)
        body = envelope.to_json()
        if consumer is None:
            for listener in self._listeners:
                listener.receive(body)
        ends = await asyncio.gather(*(self._deliver(one, body) for one in addressed), return_exceptions=True)
        failures = [end for end in ends if isinstance(end, BaseException)]
        if failures:
            raise BaseExceptionGroup(f"{envelope.type} was not handled by all", failures)

    def _addressed(self, envelope: Envelope, consumer: str | None) -> list[Dispatcher]:
        if consumer is not None:
            found = [self._dispatchers[consumer]] if consumer in self._dispatchers else []
        else:
            found = [one for one in self._dispatchers.values() if one.subscribes(envelope.type)]
        if not found and (consumer is not None or envelope.kind == "command"):
            raise Unroutable(f"{envelope.type}: nobody here consumes it" + (f" as {consumer}" if consumer else ""))
        return found

    async def _deliver(self, dispatcher: Dispatcher, body: bytes) -> None:
        self._waiting[dispatcher.consumer] += 1
        try:
            await dispatcher.dispatch(body)
        finally:
            self._waiting[dispatcher.consumer] -= 1

    async def depths(self) -> Mapping[str, int]:
        """Messages being handled or tried again, by consumer; what waits behind them is in the outboxes."""
        return dict(self._waiting)

    async def stop(self, *, drain_seconds: float = 10.0) -> None:
        """Refuse what still comes. Handlers run inside the relays' calls of `publish`, which have ended by now."""
        self._open = False
