"""Delivery by call: to all, to one, or to nobody."""

from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest

from shared.messaging.consumer import Delivery
from shared.messaging.dispatcher import Dispatcher, Stopped
from shared.messaging.envelope import Command, Envelope, Event
from shared.messaging.local import LocalTransport
from shared.messaging.transport import Unroutable


class Happened(Event):
    type: ClassVar[str] = "local_tests.thing.happened"


class Elsewhere(Event):
    type: ClassVar[str] = "local_tests.thing.elsewhere"


class DoIt(Command):
    type: ClassVar[str] = "nobody.thing.do"


class NoGraveyard:
    async def store(self, message_id: UUID, body: bytes, envelope: Envelope | None, error: str, attempts: int) -> None:
        raise AssertionError("nothing should die here")


def envelope(message: Event | Command) -> Envelope:
    return Envelope.of(message, id=uuid4(), source="t", time=datetime.now(UTC), aggregate_id="a", correlation_id="c")


async def transport_with(*consumers: str) -> tuple[LocalTransport, dict[str, Dispatcher], list[str]]:
    transport, seen, dispatchers = LocalTransport(), list[str](), {}
    for name in consumers:

        async def handler(context: str, delivery: Delivery[Any]) -> None:
            seen.append(context)

        dispatchers[name] = Dispatcher(name, {Happened: handler}, name, NoGraveyard())
        await transport.subscribe(dispatchers[name])
    return transport, dispatchers, seen


async def test_every_consumer_of_the_type_gets_it_before_publish_returns() -> None:
    transport, _, seen = await transport_with("a", "b")
    await transport.publish(envelope(Happened()))
    assert sorted(seen) == ["a", "b"]
    assert await transport.depths() == {"a": 0, "b": 0}


async def test_one_consumer_only() -> None:
    transport, _, seen = await transport_with("a", "b")
    await transport.publish(envelope(Happened()), consumer="b")
    assert seen == ["b"]


async def test_an_event_may_have_no_consumer_but_a_command_must() -> None:
    transport, _, seen = await transport_with("a")
    await transport.publish(envelope(Elsewhere()))
    with pytest.raises(Unroutable):
        await transport.publish(envelope(DoIt()))
    with pytest.raises(Unroutable):
        await transport.publish(envelope(Happened()), consumer="c")
    assert seen == []


async def test_it_counts_as_published_only_if_all_were_done_with_it() -> None:
    transport, dispatchers, seen = await transport_with("a", "b")
    dispatchers["a"].stop()
    with pytest.raises(ExceptionGroup) as caught:
        await transport.publish(envelope(Happened()))
    assert [type(error) for error in caught.value.exceptions] == [Stopped]
    assert seen == ["b"]


async def test_after_the_end_nothing_counts_as_published() -> None:
    transport, _, seen = await transport_with("a")
    await transport.stop()
    for message in (Happened(), Elsewhere()):
        with pytest.raises(Stopped):
            await transport.publish(envelope(message))
    assert seen == []


async def test_a_consumer_subscribes_once() -> None:
    transport, dispatchers, _ = await transport_with("a")
    with pytest.raises(ValueError, match="subscribed before"):
        await transport.subscribe(dispatchers["a"])
