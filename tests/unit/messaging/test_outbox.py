"""What a unit of work collects, and what each message says about where it came from."""

import json
from typing import ClassVar
from uuid import uuid4

import pytest

from shared.messaging import correlation
from shared.messaging.envelope import Command, Event
from shared.messaging.outbox import MESSAGE_BYTES, MessageTooLarge, Outbox, payload_of
from shared.telemetry import trace


class Happened(Event):
    type: ClassVar[str] = "outbox_tests.thing.happened"


class Noted(Event):
    type: ClassVar[str] = "outbox_tests.thing.noted"

    note: str


class DoIt(Command):
    type: ClassVar[str] = "somebody.thing.do_it"


def test_messages_are_kept_in_order_with_ids_of_their_own() -> None:
    outbox, thing = Outbox("outbox_tests"), uuid4()
    first = outbox.publish(Happened(), aggregate_id=thing)
    second = outbox.send(DoIt(), aggregate_id=thing)
    third = outbox.add(Happened(), aggregate_id="other")
    assert outbox.pending == (first, second, third)
    assert [one.kind for one in outbox.pending] == ["event", "command", "event"]
    assert [one.partitionkey for one in outbox.pending] == [str(thing), str(thing), "other"]
    assert len({one.id for one in outbox.pending}) == 3
    assert {one.source for one in outbox.pending} == {"outbox_tests"}
    assert [item["id"] for item in json.loads(payload_of(outbox.pending))] == [str(one.id) for one in outbox.pending]


def test_what_no_broker_would_take_is_refused_in_the_transaction() -> None:
    outbox = Outbox("outbox_tests")
    assert len(payload_of([outbox.publish(Noted(note="x" * (MESSAGE_BYTES - 1000)), aggregate_id="a")])) > MESSAGE_BYTES - 1000
    with pytest.raises(MessageTooLarge, match=r"outbox_tests\.thing\.noted has"):
        payload_of([outbox.publish(Noted(note="x" * MESSAGE_BYTES), aggregate_id="a")])


def test_in_a_request_its_id_correlates_and_nothing_is_the_cause() -> None:
    with trace.span("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", request="r-1") as span:
        sent = Outbox("outbox_tests").publish(Happened(), aggregate_id="a")
    assert (sent.correlationid, sent.causationid, sent.traceparent) == ("r-1", None, span.traceparent)
    assert span.trace_id == "0af7651916cd43dd8448eb211c80319c"


def test_while_a_message_is_handled_it_is_the_cause() -> None:
    with correlation.caused_by("c-1", "m-1"):
        sent = Outbox("outbox_tests").publish(Happened(), aggregate_id="a")
    assert (sent.correlationid, sent.causationid) == ("c-1", "m-1")


def test_outside_both_the_trace_correlates() -> None:
    with trace.span(None) as span:
        sent = Outbox("outbox_tests").publish(Happened(), aggregate_id="a")
    assert sent.correlationid == span.trace_id
