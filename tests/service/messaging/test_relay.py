"""The relay alone, with a transport that the test plays: order, takeover, lost connections, and what is marked when."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import asyncpg
import pytest

from shared.messaging.envelope import Envelope
from shared.messaging.local import LocalTransport
from shared.messaging.relay import Relay, RelayLimits, connect_for_relay
from shared.telemetry import metrics
from tests.support.messaging import LIMITS, Platform, Said, Until


class Played(LocalTransport):
    """Notes what it was given, after doing what the test wants."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[tuple[str, int]] = []
        self.under_way = self.most_under_way = 0

    async def before(self, key: str, number: int) -> None:
        """Replaced by tests: wait, or refuse."""

    async def publish(self, envelope: Envelope, *, consumer: str | None = None) -> None:
        """Take the message, unless `before` raises."""
        key, number = envelope.partitionkey, int(envelope.data["number"])
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self.before(key, number)
            self.taken.append((key, number))
        finally:
            self.under_way -= 1


Begin = Callable[..., Relay]


@pytest.fixture
async def begin(platform: Platform) -> AsyncIterator[Begin]:
    """Starts relays of the sender, and stops them."""
    async with AsyncExitStack() as stack:

        def start(transport: Played, limits: RelayLimits = LIMITS) -> Relay:
            relay = Relay("sender", partial(connect_for_relay, platform.sender.database), transport, limits=limits)
            task = asyncio.create_task(relay.run())

            async def stop() -> None:
                await relay.stop(drain_seconds=1)
                await task

            stack.push_async_callback(stop)
            return relay

        yield start


async def test_a_backlog_goes_out_in_order_within_each_key(platform: Platform, begin: Begin, until: Until) -> None:
    for number in range(0, 60, 3):
        await asyncio.gather(*(platform.sender.say(key, number, number + 1, number + 2) for key in "abc"))
    transport = Played()
    begin(transport, RelayLimits(rows_a_fetch=25))
    await until(platform.sender.unpublished, 0)
    assert len(transport.taken) == 180
    for key in "abc":
        assert [number for one, number in transport.taken if one == key] == list(range(60))


async def test_a_notification_is_enough_without_polling(platform: Platform, begin: Begin, until: Until) -> None:
    transport = Played()
    relay = begin(transport, RelayLimits(poll_seconds=60))

    async def leading() -> bool:
        return relay.leading

    await until(leading, True)
    await asyncio.sleep(0.1)
    await platform.sender.say("a", 1)
    await until(platform.sender.unpublished, 0, timeout_seconds=30)  # half of the polling


async def test_polling_is_enough_without_a_notification(
    platform: Platform, begin: Begin, until: Until, owner: asyncpg.Connection
) -> None:
    begin(Played())
    await platform.sender.say("a", 1)
    await until(platform.sender.unpublished, 0)
    await owner.execute("UPDATE sender.outbox SET published_at = NULL")
    await until(platform.sender.unpublished, 0)


async def test_a_transaction_that_commits_late_is_not_skipped(platform: Platform, begin: Begin, until: Until) -> None:
    """Its row has a lower id than rows that are published already."""
    transport = Played()
    begin(transport)
    async with platform.sender.context.unit_of_work() as slow:
        slow.outbox.publish(Said(number=1), aggregate_id="slow")
        await slow.outbox.flush(slow.connection)
        await platform.sender.say("quick", 2)

        async def taken() -> list[tuple[str, int]]:
            return transport.taken

        await until(taken, [("quick", 2)])
        await until(platform.sender.unpublished, 0)
    await until(taken, [("quick", 2), ("slow", 1)])


async def test_nothing_is_marked_before_the_transport_has_taken_it(platform: Platform, begin: Begin, until: Until) -> None:
    transport, release = Played(), asyncio.Event()

    async def wait(key: str, number: int) -> None:
        await release.wait()

    transport.before = wait  # type: ignore[method-assign]
    begin(transport)
    await platform.sender.say("a", 1)

    async def under_way() -> int:
        return transport.under_way

    await until(under_way, 1)
    await asyncio.sleep(0.3)
    assert await platform.sender.unpublished() == 1
    release.set()
    await until(platform.sender.unpublished, 0)
    assert transport.taken == [("a", 1)]


async def test_a_refused_message_is_tried_again_in_its_place_and_only_its_key_waits(
    platform: Platform, begin: Begin, until: Until
) -> None:
    transport, refusals = Played(), [ConnectionResetError(), TimeoutError(), RuntimeError()]

    async def refuse(key: str, number: int) -> None:
        if (key, number) == ("a", 1) and refusals:
            raise refusals.pop()

    transport.before = refuse  # type: ignore[method-assign]
    await platform.sender.say("a", 0, 1, 2)
    await platform.sender.say("b", 3)
    begin(transport)
    await until(platform.sender.unpublished, 0)
    assert [number for key, number in transport.taken if key == "a"] == [0, 1, 2]
    assert transport.taken.index(("b", 3)) < transport.taken.index(("a", 1))


async def test_a_stuck_key_with_more_rows_than_a_fetch_hides_no_other(platform: Platform, begin: Begin, until: Until) -> None:
    transport = Played()

    async def stick(key: str, number: int) -> None:
        if key == "stuck":
            raise ConnectionResetError

    transport.before = stick  # type: ignore[method-assign]
    await platform.sender.say("stuck", *range(50))
    await platform.sender.say("free", 1)
    begin(transport, RelayLimits(rows_a_fetch=10, poll_seconds=0.1, refused=LIMITS.refused))
    await until(platform.sender.unpublished, 50)
    assert transport.taken == [("free", 1)]


async def test_the_number_under_way_is_bounded(platform: Platform, begin: Begin, until: Until) -> None:
    transport = Played()

    async def take_time(key: str, number: int) -> None:
        await asyncio.sleep(0.005)

    transport.before = take_time  # type: ignore[method-assign]
    async with platform.sender.context.unit_of_work() as work:
        for number in range(60):
            work.outbox.publish(Said(number=number), aggregate_id=f"k{number}")
    begin(transport, RelayLimits(keys_at_once=4, poll_seconds=0.1))
    await until(platform.sender.unpublished, 0)
    assert transport.most_under_way == 4


async def test_only_one_works_and_another_takes_over_when_its_connection_dies(
    platform: Platform, begin: Begin, until: Until, owner: asyncpg.Connection
) -> None:
    first_transport, second_transport = Played(), Played()
    first = begin(first_transport)

    async def leaders() -> list[bool]:
        return [first.leading, second is not None and second.leading]

    second: Relay | None = None
    await until(leaders, [True, False])
    second = begin(second_transport)
    await platform.sender.say("a", 1)
    await until(platform.sender.unpublished, 0)
    assert (first_transport.taken, second_transport.taken) == ([("a", 1)], [])

    await owner.fetch(
        """SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
        WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()"""
    )
    await platform.sender.say("a", 2, 3)
    await until(platform.sender.unpublished, 0)
    assert sorted({*first_transport.taken, *second_transport.taken}) == [("a", 1), ("a", 2), ("a", 3)]

    async def leading() -> int:
        return (await leaders()).count(True)

    await until(leading, 1)


async def test_a_relay_that_stops_leaves_the_rest_to_the_next(platform: Platform, begin: Begin, until: Until) -> None:
    transport, reached = Played(), asyncio.Event()

    async def dawdle(key: str, number: int) -> None:
        reached.set()
        await asyncio.sleep(0.05)

    transport.before = dawdle  # type: ignore[method-assign]
    first = begin(transport)
    await platform.sender.say("a", *range(5))
    await reached.wait()
    await first.stop()

    async def leading() -> bool:
        return first.leading

    await until(leading, False)
    # What was under way was finished and marked, nothing else was begun.
    assert transport.taken == [("a", 0)]
    assert await platform.sender.unpublished() == 4
    successor = Played()
    begin(successor)
    await until(platform.sender.unpublished, 0)
    assert successor.taken == [("a", number) for number in range(1, 5)]


async def test_stopping_does_not_wait_for_ever(platform: Platform, begin: Begin, until: Until) -> None:
    transport = Played()

    async def hang(key: str, number: int) -> None:
        await asyncio.Event().wait()

    transport.before = hang  # type: ignore[method-assign]
    relay = begin(transport)
    await platform.sender.say("a", 1)

    async def under_way() -> int:
        return transport.under_way

    await until(under_way, 1)
    async with asyncio.timeout(30):
        await relay.stop(drain_seconds=0.1)
    assert await platform.sender.unpublished() == 1


async def test_it_starts_before_the_database_is_there(platform: Platform, until: Until) -> None:
    transport, failures = Played(), [ConnectionRefusedError(), asyncpg.CannotConnectNowError()]

    async def connect() -> Any:
        if failures:
            raise failures.pop()
        return await connect_for_relay(platform.sender.database)

    relay = Relay("sender", connect, transport, limits=LIMITS)
    task = asyncio.create_task(relay.run())
    await platform.sender.say("a", 1)
    await until(platform.sender.unpublished, 0)
    await relay.stop()
    await task


async def test_the_lag_is_measured(platform: Platform, begin: Begin, until: Until, owner: asyncpg.Connection) -> None:
    transport = Played()

    async def stick(key: str, number: int) -> None:
        raise ConnectionResetError

    transport.before = stick  # type: ignore[method-assign]
    await platform.sender.say("a", 1, 2, 3)
    await owner.execute("UPDATE sender.outbox SET created_at = created_at - interval '1 minute'")
    begin(transport, RelayLimits(poll_seconds=0.1, lag_every_seconds=0))

    async def waiting() -> float | None:
        return _value(metrics.OUTBOX_UNPUBLISHED)

    await until(waiting, 3.0)
    assert 59 < (_value(metrics.OUTBOX_LAG_SECONDS) or 0) < 180


def _value(gauge: Any) -> float | None:
    samples = gauge.labels("sender").collect()[0].samples
    return samples[0].value if samples else None
