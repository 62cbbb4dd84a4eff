"""The journal as an outbox: each outcome is published, in whatever order the transport takes them, and none is forgotten."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from uuid import UUID

import pytest

from services.wallet_ledger.store.outcome_source import OutcomeSource
from shared.messaging.envelope import Envelope
from shared.messaging.failures import Retries
from shared.messaging.local import LocalTransport
from shared.messaging.relay import Relay, RelayLimits, connect_for_relay
from tests.service.wallet_ledger.conftest import World, move, transaction

LIMITS = RelayLimits(
    keys_at_once=4, rows_a_fetch=10, poll_seconds=0.05, takeover_every_seconds=0.05, refused=Retries(first_delay_seconds=0.01)
)


class Noting(LocalTransport):
    """Notes what it is given, unless it refuses it."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: set[UUID] = set()
        self.taken: list[Envelope] = []

    async def publish(self, envelope: Envelope, *, consumer: str | None = None) -> None:
        """Take it or leave it."""
        if UUID(envelope.partitionkey) in self.refused:
            raise ConnectionError("not now")
        self.taken.append(envelope)

    def transactions(self) -> list[UUID]:
        """What the messages taken are about."""
        return [UUID(envelope.partitionkey) for envelope in self.taken]


StartRelay = Callable[[Noting], Awaitable[Callable[[], Awaitable[None]]]]


@pytest.fixture
async def start_relay(world: World) -> AsyncIterator[StartRelay]:
    """Starts a relay of the journal; what it gives stops it."""
    async with AsyncExitStack() as stack:

        async def start(transport: Noting) -> Callable[[], Awaitable[None]]:
            connect = partial(connect_for_relay, world.service.database)
            relay = Relay("wallet_ledger", connect, transport, source=OutcomeSource(), limits=LIMITS)
            task = asyncio.create_task(relay.run())

            async def stop() -> None:
                await relay.stop(drain_seconds=1)
                await task

            stack.push_async_callback(stop)
            return stop

        yield start


async def post(world: World, count: int) -> list[UUID]:
    """So many transactions, one in three of which is rejected."""
    entries = [move("reserve:KES" if number % 3 == 0 else "provider:test:KES", "fees:KES", 1) for number in range(count)]
    asked = [transaction(entry) for entry in entries]
    await asyncio.gather(*(world.poster.post(one) for one in asked))
    return [one.id for one in asked]


async def told_to(world: World) -> int:
    position = await world.owner.fetchval("SELECT sequence FROM wallet_ledger.journal_readers WHERE name = 'outcomes'")
    return int(position or 0)


async def until(done: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await done():  # noqa: ASYNC110 another task makes it true
            await asyncio.sleep(0.01)


async def test_every_outcome_is_published_once_and_never_again(world: World, start_relay: StartRelay) -> None:
    asked = await post(world, 45)
    transport = Noting()
    stop = await start_relay(transport)

    async def all_told() -> bool:
        return await told_to(world) == 45

    await until(all_told)
    assert sorted(transport.transactions()) == sorted(asked)
    kinds = [envelope.type for envelope in transport.taken]
    assert kinds.count("wallet_ledger.transaction.rejected") == 15
    assert kinds.count("wallet_ledger.transaction.posted") == 30
    await stop()

    later = Noting()
    await start_relay(later)
    further = await post(world, 1)

    async def the_next_told() -> bool:
        return await told_to(world) == 46

    await until(the_next_told)
    assert later.transactions() == further


async def test_one_that_is_refused_holds_up_no_other_and_is_told_in_the_end(world: World, start_relay: StartRelay) -> None:
    asked = await post(world, 5)
    transport = Noting()
    stuck: UUID = await world.owner.fetchval("SELECT id FROM wallet_ledger.transactions WHERE sequence = 2")
    transport.refused = {stuck}
    stop = await start_relay(transport)

    async def the_others_told() -> bool:
        return len(transport.taken) == 4 and await told_to(world) == 1

    await until(the_others_told)
    assert stuck not in transport.transactions()
    await stop()

    # Another relay begins at the one that is not told, and tells those after it once more: the same messages.
    heir = Noting()
    await start_relay(heir)

    async def all_told() -> bool:
        return await told_to(world) == 5

    await until(all_told)
    assert stuck in heir.transactions()
    assert set(transport.transactions() + heir.transactions()) == set(asked)
    before = {envelope.partitionkey: envelope.id for envelope in transport.taken}
    assert all(before.get(envelope.partitionkey, envelope.id) == envelope.id for envelope in heir.taken)


async def test_what_the_outbox_told_is_not_told_again(world: World, start_relay: StartRelay) -> None:
    await world.owner.execute("""
        INSERT INTO wallet_ledger.transactions (sequence, id, scope, idempotency_key, fingerprint, kind, status, booked_at,
                                                effective_on, transfer_count)
        SELECT number, gen_random_uuid(), 'old', number::text, decode(repeat('00', 32), 'hex'), 'note', 'posted', now(),
               current_date, 0
        FROM generate_series(1, 25) AS number
    """)
    (asked,) = await post(world, 1)
    transport = Noting()
    await start_relay(transport)

    async def all_told() -> bool:
        return await told_to(world) == 26

    await until(all_told)
    assert transport.transactions() == [asked]
