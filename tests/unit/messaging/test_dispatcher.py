"""The dispatcher against a graveyard in memory: who is called, how often, in what order, and what becomes of the rest."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest

from shared.messaging import correlation
from shared.messaging.consumer import Delivery
from shared.messaging.dispatcher import Dispatcher, Outcome, Stopped
from shared.messaging.envelope import Command, Envelope, Event
from shared.messaging.failures import Retries
from shared.messaging.inbox import AlreadyHandled
from shared.problems import NotFound
from shared.telemetry import trace

QUICK = Retries(attempts_if_may_pass=4, attempts_if_unknown=3, first_delay_seconds=0.001, longest_delay_seconds=0.004)


class Happened(Event):
    type: ClassVar[str] = "tests.thing.happened"

    number: int


class DoIt(Command):
    type: ClassVar[str] = "somebody.thing.do"


@dataclass
class Graveyard:
    """Dead letters in memory; raises the next of `troubles` first."""

    letters: list[tuple[UUID, bytes, Envelope | None, str, int]] = field(default_factory=list)
    troubles: list[Exception] = field(default_factory=list)

    async def store(self, message_id: UUID, body: bytes, envelope: Envelope | None, error: str, attempts: int) -> None:
        if self.troubles:
            raise self.troubles.pop(0)
        self.letters.append((message_id, body, envelope, error, attempts))


def envelope(number: int = 1, *, key: str = "k", **changes: Any) -> Envelope:
    made = Envelope.of(
        Happened(number=number),
        id=uuid4(),
        source="tests",
        time=datetime.now(UTC),
        aggregate_id=key,
        correlation_id="c-9",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    return made.model_copy(update=changes)


Handle = Callable[[Any, Delivery[Happened]], Awaitable[None]]


def dispatcher_of(handler: Handle, graveyard: Graveyard, **options: Any) -> Dispatcher:
    return Dispatcher("tests", {Happened: handler}, "the context", graveyard, **({"retries": QUICK} | options))


def failing(*errors: Exception) -> tuple[Handle, list[int]]:
    """A handler that raises these in turn and then succeeds, and the attempts it has seen."""
    pending, attempts = list(errors), list[int]()

    async def handler(context: Any, delivery: Delivery[Happened]) -> None:
        attempts.append(delivery.attempt)
        if pending:
            raise pending.pop(0)

    return handler, attempts


async def test_the_handler_gets_context_message_and_envelope_once() -> None:
    seen: list[tuple[Any, Delivery[Happened]]] = []

    async def handler(context: Any, delivery: Delivery[Happened]) -> None:
        seen.append((context, delivery))

    graveyard, sent = Graveyard(), envelope(7)
    assert await dispatcher_of(handler, graveyard).dispatch(sent.to_json()) is Outcome.HANDLED
    assert seen == [("the context", Delivery(sent, Happened(number=7), 1))]
    assert graveyard.letters == []


async def test_what_the_handler_sends_belongs_to_the_same_correlation_and_trace() -> None:
    seen: list[tuple[correlation.Correlation, str]] = []

    async def handler(context: Any, delivery: Delivery[Happened]) -> None:
        seen.append((correlation.current(), trace.current().trace_id))

    sent = envelope()
    await dispatcher_of(handler, Graveyard()).dispatch(sent.to_json())
    assert seen == [(correlation.Correlation("c-9", str(sent.id)), "0af7651916cd43dd8448eb211c80319c")]
    assert correlation.current().causation_id is None


async def test_a_duplicate_is_done_with() -> None:
    handler, attempts = failing(AlreadyHandled("tests", uuid4()))
    graveyard = Graveyard()
    assert await dispatcher_of(handler, graveyard).dispatch(envelope().to_json()) is Outcome.DUPLICATE
    assert (attempts, graveyard.letters) == ([1], [])


async def test_what_may_pass_is_tried_again_until_it_passes() -> None:
    handler, attempts = failing(ConnectionResetError(), KeyError("odd"), TimeoutError())
    graveyard = Graveyard()
    assert await dispatcher_of(handler, graveyard).dispatch(envelope().to_json()) is Outcome.HANDLED
    assert (attempts, graveyard.letters) == ([1, 2, 3, 4], [])


@pytest.mark.parametrize(
    ("error", "attempts"), [(NotFound("no such loan"), 1), (KeyError("odd"), 3), (ConnectionResetError("gone"), 4)]
)
async def test_what_does_not_pass_becomes_a_dead_letter_after_a_bounded_number_of_attempts(
    error: Exception, attempts: int
) -> None:
    handler, seen = failing(*[error] * 10)
    graveyard, sent = Graveyard(), envelope()
    assert await dispatcher_of(handler, graveyard).dispatch(sent.to_json()) is Outcome.DEAD
    assert seen == list(range(1, attempts + 1))
    [(message_id, body, kept, why, tried)] = graveyard.letters
    assert (message_id, body, kept, tried) == (sent.id, sent.to_json(), sent, attempts)
    assert type(error).__name__ in why


@pytest.mark.parametrize("changes", [{"type": "tests.thing.unheard_of"}, {"dataversion": 2}, {"data": {"number": "many"}}])
async def test_what_cannot_be_read_is_dead_at_once_and_reaches_no_handler(changes: dict[str, Any]) -> None:
    handler, seen = failing()
    graveyard = Graveyard()
    assert await dispatcher_of(handler, graveyard).dispatch(envelope(**changes).to_json()) is Outcome.DEAD
    assert seen == []
    assert graveyard.letters[0][4] == 1


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{}", b"[1, 2]", json.dumps({"specversion": "1.0"}).encode()])
async def test_what_is_not_an_envelope_is_kept_as_it_came_under_an_id_of_its_bytes(body: bytes) -> None:
    handler, seen = failing()
    graveyard = Graveyard()
    dispatcher = dispatcher_of(handler, graveyard)
    assert await dispatcher.dispatch(body) is Outcome.DEAD
    assert await dispatcher.dispatch(body) is Outcome.DEAD
    (first, kept, no_envelope, *_), (second, *_) = graveyard.letters
    assert (kept, no_envelope, first == second, seen) == (body, None, True, [])


async def test_a_dead_letter_that_cannot_be_stored_is_no_dead_letter() -> None:
    handler, seen = failing(*[KeyError("odd")] * 4)
    graveyard = Graveyard(troubles=[ConnectionRefusedError(), ConnectionRefusedError()])
    assert await dispatcher_of(handler, graveyard).dispatch(envelope().to_json()) is Outcome.HANDLED
    assert (len(seen), graveyard.letters) == (5, [])


async def test_an_attempt_that_takes_too_long_is_ended_and_tried_again() -> None:
    seen: list[int] = []

    async def handler(context: Any, delivery: Delivery[Happened]) -> None:
        seen.append(delivery.attempt)
        if delivery.attempt == 1:
            await asyncio.sleep(60)

    assert await dispatcher_of(handler, Graveyard(), timeout_seconds=0.02).dispatch(envelope().to_json()) is Outcome.HANDLED
    assert seen == [1, 2]


async def test_a_key_keeps_its_order_through_failures_and_delays_nobody_else() -> None:
    done: list[tuple[str, int]] = []

    async def handler(context: Any, delivery: Delivery[Happened]) -> None:
        if delivery.envelope.partitionkey == "slow" and delivery.attempt < 3:
            raise ConnectionResetError
        done.append((delivery.envelope.partitionkey, delivery.message.number))

    dispatcher = dispatcher_of(handler, Graveyard(), retries=Retries(first_delay_seconds=0.02, longest_delay_seconds=0.02))
    sent = [envelope(number, key=key) for number in range(3) for key in ("slow", "quick")]
    await asyncio.gather(*(dispatcher.dispatch(one.to_json()) for one in sent))
    assert done == [("quick", 0), ("quick", 1), ("quick", 2), ("slow", 0), ("slow", 1), ("slow", 2)]


async def test_no_more_handlers_run_at_once_than_allowed() -> None:
    running = most = 0

    async def handler(context: Any, delivery: Delivery[Happened]) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.002)
        running -= 1

    dispatcher = dispatcher_of(handler, Graveyard(), handlers_at_once=3)
    await asyncio.gather(*(dispatcher.dispatch(envelope(key=str(n)).to_json()) for n in range(20)))
    assert most == 3


async def test_stopping_ends_waits_and_leaves_the_message_to_be_delivered_again() -> None:
    handler, seen = failing(*[ConnectionResetError()] * 10)
    graveyard = Graveyard()
    dispatcher = dispatcher_of(handler, graveyard, retries=Retries(first_delay_seconds=60, longest_delay_seconds=60))
    waiting = asyncio.create_task(dispatcher.dispatch(envelope().to_json()))
    await asyncio.sleep(0.01)
    dispatcher.stop()
    async with asyncio.timeout(1):
        with pytest.raises(Stopped):
            await waiting
        with pytest.raises(Stopped):
            await dispatcher.dispatch(envelope(key="other").to_json())
    assert (seen, graveyard.letters) == ([1], [])


def test_a_command_can_only_be_consumed_by_the_service_it_is_addressed_to() -> None:
    async def handler(context: Any, delivery: Delivery[DoIt]) -> None: ...

    with pytest.raises(ValueError, match="not addressed to tests"):
        Dispatcher("tests", {DoIt: handler}, None, Graveyard())
    assert Dispatcher("somebody", {DoIt: handler}, None, Graveyard()).subscribes("somebody.thing.do")
