"""A definition's table: what a step does, and what `check_total` finds missing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest

from shared.messaging.envelope import Command, Event, Message
from shared.sagas import DEADLINE_PASSED, Definition, SagaData, Step, check_total, ignored
from shared.sagas.definition import UndefinedPair

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


class Paid(Event):
    type: ClassVar[str] = "saga_tests.order.paid"

    receipt: str


class Shipped(Event):
    type: ClassVar[str] = "saga_tests.order.shipped"


class Ship(Command):
    type: ClassVar[str] = "depot.order.ship"

    order_id: UUID
    receipt: str


class Refund(Command):
    type: ClassVar[str] = "till.order.refund"

    order_id: UUID


class State(StrEnum):
    UNPAID = "unpaid"
    SHIPPING = "shipping"
    SHIPPED = "shipped"
    GIVEN_UP = "given_up"


class Order(SagaData):
    order_id: UUID
    receipt: str | None = None


def keep_receipt(order: Order, paid: Paid) -> Order:
    return order.model_copy(update={"receipt": paid.receipt})


def ship(order: Order, cause: Any) -> Sequence[Message]:
    return [Ship(order_id=order.order_id, receipt=order.receipt or "")]


def refund(order: Order, cause: Any) -> Sequence[Message]:
    return [Refund(order_id=order.order_id)]


ORDER = Definition(
    kind="order",
    data=Order,
    start=State.UNPAID,
    final={State.SHIPPED, State.GIVEN_UP},
    triggers={Paid, Shipped, DEADLINE_PASSED},
    deadlines={State.UNPAID: timedelta(hours=1), State.SHIPPING: timedelta(days=2)},
    table={
        (State.UNPAID, Paid): Step(State.SHIPPING, send=ship, remember=keep_receipt),
        (State.UNPAID, DEADLINE_PASSED): Step(State.GIVEN_UP),
        **ignored(State.UNPAID, Shipped),
        (State.SHIPPING, Shipped): Step(State.SHIPPED),
        (State.SHIPPING, DEADLINE_PASSED): Step(State.GIVEN_UP, send=refund),
        **ignored(State.SHIPPING, Paid),
        **ignored(State.SHIPPED, Paid, Shipped, DEADLINE_PASSED),
        (State.GIVEN_UP, Paid): Step(State.GIVEN_UP, send=refund),
        **ignored(State.GIVEN_UP, Shipped, DEADLINE_PASSED),
    },
)


def test_a_saga_begins_in_the_start_state_with_its_deadline() -> None:
    order_id = uuid4()
    saga = ORDER.begin(order_id, Order(order_id=order_id), NOW)
    assert (saga.id, saga.kind, saga.state, saga.deadline_at) == (order_id, "order", State.UNPAID, NOW + timedelta(hours=1))


def test_a_step_remembers_then_sends_and_starts_the_new_states_deadline() -> None:
    order_id = uuid4()
    saga, sent = ORDER.advance(
        ORDER.begin(order_id, Order(order_id=order_id), NOW), Paid(receipt="r-1"), NOW + timedelta(minutes=5)
    )
    assert (saga.state, saga.data.receipt) == (State.SHIPPING, "r-1")
    assert saga.deadline_at == NOW + timedelta(days=2, minutes=5)
    assert sent == [Ship(order_id=order_id, receipt="r-1")]


def test_a_duplicate_changes_nothing_not_even_the_deadline() -> None:
    order_id = uuid4()
    saga, _ = ORDER.advance(ORDER.begin(order_id, Order(order_id=order_id), NOW), Paid(receipt="r-1"), NOW)
    again, sent = ORDER.advance(saga, Paid(receipt="r-2"), NOW + timedelta(hours=1))
    assert (again, list(sent)) == (saga, [])


def test_a_passed_deadline_is_a_trigger_and_the_end_has_none() -> None:
    order_id = uuid4()
    saga, _ = ORDER.advance(ORDER.begin(order_id, Order(order_id=order_id), NOW), Paid(receipt="r-1"), NOW)
    ended, sent = ORDER.advance(saga, DEADLINE_PASSED, NOW + timedelta(days=3))
    assert (ended.state, ended.deadline_at, sent) == (State.GIVEN_UP, None, [Refund(order_id=order_id)])


PATIENT = Definition(
    kind="patient",
    data=Order,
    start=State.UNPAID,
    final={State.SHIPPED},
    triggers={Paid, Shipped, DEADLINE_PASSED},
    deadlines={State.UNPAID: timedelta(minutes=1), State.SHIPPING: timedelta(days=2)},
    table={
        (State.UNPAID, DEADLINE_PASSED): Step(State.UNPAID, send=refund),
        (State.UNPAID, Shipped): Step(State.UNPAID),
        (State.UNPAID, Paid): Step(State.SHIPPING, remember=keep_receipt),
        (State.SHIPPING, DEADLINE_PASSED): Step(State.SHIPPING, send=refund),
        (State.SHIPPING, Shipped): Step(State.UNPAID),
    },
)


def test_what_nobody_answers_is_asked_ever_more_rarely_and_never_given_up() -> None:
    order_id = uuid4()
    saga, now, sent_at = PATIENT.begin(order_id, Order(order_id=order_id), NOW), NOW, list[timedelta]()
    while (now - NOW) < timedelta(days=30):
        assert saga.deadline_at is not None
        now = saga.deadline_at
        saga, sent = PATIENT.advance(saga, DEADLINE_PASSED, now)
        sent_at += [now - NOW] * len(sent)
    waits = [later - sooner for sooner, later in zip([timedelta(0), *sent_at], sent_at, strict=False)]
    assert waits[:4] == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8)]
    assert set(waits[9:]) == {timedelta(hours=6)}
    assert len([one for one in sent_at if one <= timedelta(days=1)]) <= 12


def test_another_message_neither_shortens_the_wait_nor_does_the_next_state_inherit_it() -> None:
    order_id = uuid4()
    saga = PATIENT.begin(order_id, Order(order_id=order_id), NOW)
    for _ in range(3):
        saga, _ = PATIENT.advance(saga, DEADLINE_PASSED, NOW)
    same, _ = PATIENT.advance(saga, Shipped(), NOW)
    assert (same.deadline_at, same.data.deadlines_missed) == (NOW + timedelta(minutes=8), 3)
    following, _ = PATIENT.advance(same, Paid(receipt="r-1"), NOW)
    assert (following.data.deadlines_missed, following.deadline_at) == (0, NOW + timedelta(days=2))
    again, _ = PATIENT.advance(following, DEADLINE_PASSED, NOW)
    assert again.deadline_at == NOW + timedelta(days=2)  # a deadline that is longer than the longest wait stays as it is
    back, _ = PATIENT.advance(again, Shipped(), NOW)
    assert (back.data.deadlines_missed, back.deadline_at) == (0, NOW + timedelta(minutes=1))


def test_a_state_may_wait_less_long_than_others() -> None:
    order_id = uuid4()
    hasty = replace(PATIENT, longest_waits={State.UNPAID: timedelta(minutes=3)})
    saga = hasty.begin(order_id, Order(order_id=order_id), NOW)
    waits = []
    for _ in range(4):
        saga, _ = hasty.advance(saga, DEADLINE_PASSED, NOW)
        assert saga.deadline_at is not None
        waits.append(saga.deadline_at - NOW)
    assert waits == [timedelta(minutes=minutes) for minutes in (2, 3, 3, 3)]


def test_a_saga_of_before_has_missed_no_deadline() -> None:
    assert Order.model_validate_json(f'{{"order_id": "{uuid4()}"}}').deadlines_missed == 0


def test_a_late_message_can_be_compensated_in_a_final_state() -> None:
    order_id = uuid4()
    saga = replace(ORDER.begin(order_id, Order(order_id=order_id), NOW), state=State.GIVEN_UP, deadline_at=None)
    assert ORDER.advance(saga, Paid(receipt="late"), NOW)[1] == [Refund(order_id=order_id)]


def test_what_the_table_does_not_know_is_an_error() -> None:
    order_id = uuid4()
    with pytest.raises(UndefinedPair, match="order: unpaid has no entry for Ship"):
        ORDER.advance(ORDER.begin(order_id, Order(order_id=order_id), NOW), Ship(order_id=order_id, receipt=""), NOW)


def test_a_total_definition_has_no_faults() -> None:
    assert check_total(ORDER) == []


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        (
            {"table": {pair: step for pair, step in ORDER.table.items() if pair != (State.SHIPPED, Paid)}},
            ["undefined: shipped on Paid"],
        ),
        ({"table": {**ORDER.table, **ignored(State.UNPAID, Ship)}}, ["not a pair: unpaid on Ship"]),
        ({"deadlines": {State.UNPAID: timedelta(hours=1)}}, ["state without a deadline: shipping"]),
        (
            {"deadlines": {**ORDER.deadlines, State.SHIPPED: timedelta(hours=1)}},
            ["deadline ignored: shipped", "final state with a deadline: shipped"],
        ),
        ({"table": {**ORDER.table, **ignored(State.SHIPPING, DEADLINE_PASSED)}}, ["deadline ignored: shipping"]),
        ({"table": {**ORDER.table, **ignored(State.SHIPPING, Shipped)}}, ["unreachable: shipped"]),
        (
            {"triggers": {Paid, Shipped}},
            ["deadline_passed is not a trigger"] + [f"not a pair: {state} on deadline_passed" for state in sorted(State)],
        ),
    ],
)
def test_each_fault_is_found(changes: dict[str, Any], faults: list[str]) -> None:
    assert check_total(replace(ORDER, **changes)) == sorted(faults)
