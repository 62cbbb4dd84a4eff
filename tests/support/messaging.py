"""Two little services and a bystander, as far as messaging is concerned, for tests on a real database.

`sender` tells, `receiver` and `bystander` write down what they hear, each in its own schema.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from shared.clock import SystemClock
from shared.db import Database, UnitOfWork
from shared.messaging.consumer import ConsumerTable, Delivery
from shared.messaging.dead_letters import DeadLetters
from shared.messaging.envelope import Command, Event, Message
from shared.messaging.failures import Retries
from shared.messaging.relay import MessageSource, RelayLimits
from shared.messaging.transport import Transport
from shared.messaging.worker import MessagingWorker

SCHEMAS = ("sender", "receiver", "bystander")
QUICK = Retries(attempts_if_may_pass=4, attempts_if_unknown=3, first_delay_seconds=0.01, longest_delay_seconds=0.05)
LIMITS = RelayLimits(poll_seconds=0.2, takeover_every_seconds=0.1, refused=QUICK)


class Said(Event):
    """Something was said."""

    type: ClassVar[str] = "sender.word.said"

    number: int


class Write(Command):
    """Write something down."""

    type: ClassVar[str] = "receiver.word.write"

    number: int


class Unheard(Event):
    """Nobody listens to this."""

    type: ClassVar[str] = "sender.word.unheard"


@dataclass
class Context:
    """What handlers get: the database, and how the test wants them to behave before they commit."""

    database: Database
    before: Callable[[Delivery[Any]], Awaitable[None]] | None = None
    seen: list[tuple[str, int]] = field(default_factory=list)

    def unit_of_work(self, delivery: Delivery[Any] | None = None) -> UnitOfWork:
        """A transaction of this service."""
        return UnitOfWork(self.database, SystemClock(), delivery=delivery)


async def write_down(context: Context, delivery: Delivery[Any]) -> None:
    """The effect: one row a message. Fails or waits as the test says, after writing and before committing."""
    context.seen.append((delivery.envelope.partitionkey, delivery.message.number))
    async with context.unit_of_work(delivery) as work:
        await work.connection.exec_driver_sql(
            "INSERT INTO effects (key, number, type) VALUES ($1, $2, $3)",
            (delivery.envelope.partitionkey, delivery.message.number, delivery.envelope.type),
        )
        if context.before is not None:
            await context.before(delivery)


@dataclass
class Little:
    """A service, as far as messaging is concerned."""

    name: str
    database: Database
    context: Context
    consumers: ConsumerTable
    handlers_at_once: int = 16
    message_sources: Sequence[Callable[[], MessageSource]] = ()

    @property
    def dead_letters(self) -> DeadLetters:
        """This service's dead letters."""
        return DeadLetters(self.database.engine, self.name)

    async def say(self, key: str, *numbers: int) -> None:
        """Publish these numbers in one transaction."""
        await self.tell(key, *(Said(number=number) for number in numbers))

    async def tell(self, key: str, *messages: Message) -> None:
        """Publish or send these messages in one transaction."""
        async with self.context.unit_of_work() as work:
            for message in messages:
                work.outbox.add(message, aggregate_id=key)

    async def effects(self) -> list[tuple[str, int]]:
        """What was written down, in the order in which that happened."""
        async with self.database.read() as connection:
            rows = await connection.exec_driver_sql("SELECT key, number FROM effects ORDER BY id")
            return [(row.key, row.number) for row in rows]

    async def unordered(self) -> list[tuple[str, int]]:
        """What was written down, sorted."""
        return sorted(await self.effects())

    async def unpublished(self) -> int:
        """Rows waiting in the outbox."""
        async with self.database.read() as connection:
            found = await connection.exec_driver_sql("SELECT count(*) FROM outbox WHERE published_at IS NULL")
            return int(found.scalar_one())


TABLES: dict[str, ConsumerTable] = {
    "sender": {},
    "receiver": {Said: write_down, Write: write_down},
    "bystander": {Said: write_down},
}


def little(name: str, url: str, role: str) -> Little:
    """The service called `name`."""
    database = Database(url, schema=name, role=role)
    return Little(name, database, Context(database), TABLES[name])


@dataclass
class Platform:
    """The services of one test, on a database of its own."""

    url: str
    sender: Little
    receiver: Little
    bystander: Little

    @property
    def services(self) -> list[Little]:
        """All three."""
        return [self.sender, self.receiver, self.bystander]

    def worker(self, transport: Transport, *services: Little, limits: RelayLimits = LIMITS) -> MessagingWorker:
        """Consumers and relays of these services (default: all), not started."""
        return MessagingWorker(transport, services or self.services, retries=QUICK, limits=limits)


@dataclass
class Transports:
    """Makes transports of one kind that share a broker, if they have one."""

    make: Callable[[], Transport]
    shared: bool


Start = Callable[..., Awaitable[MessagingWorker]]
Until = Callable[..., Awaitable[None]]
