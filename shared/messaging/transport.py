"""What carries messages from the relays to the dispatchers. One a process, shared by all its services."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from shared.messaging.consumer import ConsumerTable
from shared.messaging.dispatcher import Dispatcher
from shared.messaging.envelope import Envelope, Message
from shared.messaging.listening import Listener


class Unroutable(Exception):
    """Nobody consumes this command, or there is no such consumer."""


class Transport(Protocol):
    """Used by `shared.messaging.worker`: `start`, `declare`, `subscribe`, then the relays run; `stop` after them."""

    async def start(self) -> None:
        """Make ready to publish and subscribe. Does not wait for a server that is away."""
        ...

    async def declare(self, consumers: Mapping[str, ConsumerTable], known: Iterable[type[Message]] = ()) -> None:
        """Make sure that each consumer gets what its table names, from now on, whether or not it is running.

        Of the `known` messages, consumers stop getting those that their tables do not name.
        """
        ...

    async def subscribe(self, dispatcher: Dispatcher) -> None:
        """Deliver to this consumer, in this process."""
        ...

    def listen(self, listener: Listener) -> None:
        """Let it hear events until `stop`, whether or not this process consumes; reconnecting by itself."""
        ...

    async def publish(self, envelope: Envelope, *, consumer: str | None = None) -> None:
        """Take responsibility for a message: for all that subscribe to its type, or for one consumer only.

        Raises when that was not achieved, or not for certain; then it is published again.
        """
        ...

    async def depths(self) -> Mapping[str, int]:
        """How many messages wait in each consumer's queue, as far as this process knows."""
        ...

    async def stop(self, *, drain_seconds: float = 10.0) -> None:
        """Take no more messages, give handlers `drain_seconds` to end, and leave the rest to be delivered again."""
        ...
