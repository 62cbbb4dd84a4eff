"""Exchanges and queues on RabbitMQ, the same for 3.10 and 4.x: all durable, all queues quorum queues.

- `{prefix}.events` (topic): every event, by its type. What no queue is bound for goes on to `{prefix}.unrouted`, a short
  bounded queue for the curious, so that an event nobody consumes yet does not come back to its sender.
- `{prefix}.commands` (direct): every command, by its type. One that no queue is bound for comes back.
- `{prefix}.{consumer}`: the queue of one consumer. One process at a time consumes it (single active consumer), which keeps
  the order; the others stand by.
- `{prefix}.{consumer}.dead`: what the broker gave up on, because it was delivered `DELIVERY_LIMIT` times and never
  acknowledged: it kills its consumer. Moved there at least once; consumers move it on to their table of dead letters.

Changing a queue's arguments needs a new queue name: the broker refuses to declare it anew.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractQueue

from shared.messaging.envelope import Event, Message

# Every lost connection counts as a delivery of all that was under way, so this is well above a few bad restarts.
DELIVERY_LIMIT = 20
# "Unlimited" is written differently on 3.x and 4.x; a queue's arguments must not change with the broker's version.
_NO_LIMIT = 1_000_000_000
_UNROUTED_KEPT = 10_000


@dataclass(frozen=True)
class Topology:
    """The names of one platform on a broker, and how to declare them. `prefix` lets platforms and tests share one."""

    prefix: str

    @property
    def events(self) -> str:
        """The exchange for events."""
        return f"{self.prefix}.events"

    @property
    def commands(self) -> str:
        """The exchange for commands."""
        return f"{self.prefix}.commands"

    @property
    def dead(self) -> str:
        """The exchange that takes dead letters to their consumer's dead queue."""
        return f"{self.prefix}.dead"

    @property
    def unrouted(self) -> str:
        """The exchange, and the queue, of events that nobody consumes."""
        return f"{self.prefix}.unrouted"

    def queue(self, consumer: str) -> str:
        """The queue of a consumer."""
        return f"{self.prefix}.{consumer}"

    def dead_queue(self, consumer: str) -> str:
        """The queue of what the broker could not deliver to a consumer."""
        return f"{self.prefix}.{consumer}.dead"

    async def declare_exchanges(self, channel: AbstractChannel) -> None:
        """Declare what does not depend on consumers."""
        await channel.declare_exchange(self.unrouted, ExchangeType.FANOUT, durable=True)
        queue = await channel.declare_queue(
            self.unrouted, durable=True, arguments={"x-queue-type": "quorum", "x-max-length": _UNROUTED_KEPT}
        )
        await queue.bind(self.unrouted)
        await channel.declare_exchange(
            self.events, ExchangeType.TOPIC, durable=True, arguments={"alternate-exchange": self.unrouted}
        )
        await channel.declare_exchange(self.commands, ExchangeType.DIRECT, durable=True)
        await channel.declare_exchange(self.dead, ExchangeType.DIRECT, durable=True)

    async def declare_consumer(
        self,
        channel: AbstractChannel,
        consumer: str,
        classes: Iterable[type[Message]],
        known: Iterable[type[Message]] = (),
    ) -> tuple[AbstractQueue, AbstractQueue]:
        """Declare a consumer's queue, bound for every type in its table, and its dead queue.

        Of the `known` types, those that are not in the table are unbound; unbinding what is not bound is no error.
        """
        dead = await channel.declare_queue(
            self.dead_queue(consumer),
            durable=True,
            arguments={"x-queue-type": "quorum", "x-delivery-limit": _NO_LIMIT},
        )
        await dead.bind(self.dead, routing_key=consumer)
        queue = await channel.declare_queue(
            self.queue(consumer),
            durable=True,
            arguments={
                "x-queue-type": "quorum",
                "x-single-active-consumer": True,
                "x-delivery-limit": DELIVERY_LIMIT,
                "x-dead-letter-exchange": self.dead,
                "x-dead-letter-routing-key": consumer,
                "x-dead-letter-strategy": "at-least-once",
                "x-overflow": "reject-publish",  # which at-least-once requires
            },
        )
        wanted = {(self._exchange(message), message.type) for message in classes}
        for exchange, type_ in sorted(wanted):
            await queue.bind(exchange, routing_key=type_)
        for exchange, type_ in sorted({(self._exchange(message), message.type) for message in known} - wanted):
            await queue.unbind(exchange, routing_key=type_)
        return queue, dead

    def _exchange(self, message: type[Message]) -> str:
        return self.events if issubclass(message, Event) else self.commands
