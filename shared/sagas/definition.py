"""The pure part: a definition's table, a saga's present state, and the step from one state to the next."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import Any, Final, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.messaging.envelope import Message

LONGEST_WAIT = timedelta(hours=6)
"""A deadline that passes again and again comes later each time, but no later than this (or its own time, if that is longer)."""


class SagaData(BaseModel):
    """What one kind of saga remembers beside its state. Kept as JSON: only add fields that have a default.

    `deadlines_missed` counts how often in a row the deadline of the present state has passed.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    deadlines_missed: int = 0


D = TypeVar("D", bound=SagaData)


class _Deadline(Enum):
    DEADLINE_PASSED = "deadline_passed"


class _Ignored(Enum):
    IGNORED = "ignored"


_MOST_DOUBLINGS = 20  # far beyond the longest wait
DEADLINE_PASSED: Final = _Deadline.DEADLINE_PASSED
IGNORED: Final = _Ignored.IGNORED

Trigger = type[Message] | Literal[_Deadline.DEADLINE_PASSED]
# What sets a step off: the message itself, or that the deadline passed.
Cause = Message | Literal[_Deadline.DEADLINE_PASSED]


def nothing(data: Any, cause: Any) -> Sequence[Message]:
    """Send nothing."""
    return ()


def unchanged(data: D, cause: Any) -> D:
    """Remember nothing new."""
    return data


@dataclass(frozen=True)
class Step(Generic[D]):
    """Go to state `to`. `remember` makes the new data, then `send` the messages, both from the data and the cause."""

    to: StrEnum
    send: Callable[[D, Any], Sequence[Message]] = nothing
    remember: Callable[[D, Any], D] = unchanged


@dataclass(frozen=True)
class Saga(Generic[D]):
    """One running (or ended) saga. `id` is the aggregate it works for; (kind, id) is unique."""

    id: UUID
    kind: str
    state: StrEnum
    data: D
    deadline_at: datetime | None = None
    version: int = 0


Table = Mapping[tuple[StrEnum, Trigger], Step[D] | Literal[_Ignored.IGNORED]]


def ignored(state: StrEnum, *triggers: Trigger) -> dict[tuple[StrEnum, Trigger], Literal[_Ignored.IGNORED]]:
    """Table entries that say: in `state`, these change nothing."""
    return {(state, trigger): IGNORED for trigger in triggers}


class UndefinedPair(Exception):
    """The table says nothing about this state and trigger."""


@dataclass(frozen=True)
class Definition(Generic[D]):
    """A kind of saga, as data. The states are the members of `start`'s enumeration.

    `longest_waits` names the states that must not wait as long as `LONGEST_WAIT`.
    """

    kind: str
    data: type[D]
    start: StrEnum
    final: Set[StrEnum]
    triggers: Set[Trigger]
    table: Table[D]
    deadlines: Mapping[StrEnum, timedelta] = field(default_factory=dict)
    longest_waits: Mapping[StrEnum, timedelta] = field(default_factory=dict)

    @property
    def states(self) -> type[StrEnum]:
        """The enumeration of the states."""
        return type(self.start)

    def begin(self, id: UUID, data: D, now: datetime) -> Saga[D]:  # noqa: A002
        """A new saga in the start state, with that state's deadline counted from `now`."""
        return Saga(id, self.kind, self.start, data, self._deadline(self.start, now))

    def advance(self, saga: Saga[D], cause: Cause, now: datetime) -> tuple[Saga[D], Sequence[Message]]:
        """The saga after `cause`, and what to send. An ignored pair gives the same saga and nothing to send.

        Entering a state, be it the same again, starts its deadline anew. A deadline that passes and leads back to the same
        state is twice as far away the next time: what nobody answers is asked again, but ever more rarely, so that a
        command that cannot be handled becomes some dead letters a day and not one a minute. Raises `UndefinedPair`.
        """
        trigger: Trigger = type(cause) if isinstance(cause, Message) else cause
        step = self.table.get((saga.state, trigger))
        if step is None:
            raise UndefinedPair(f"{self.kind}: {saga.state} has no entry for {_name(trigger)}")
        if step is IGNORED:
            return saga, ()
        missed = 0
        if step.to == saga.state:
            missed = saga.data.deadlines_missed + (cause is DEADLINE_PASSED)
        data = step.remember(saga.data, cause)
        if data.deadlines_missed != missed:
            data = data.model_copy(update={"deadlines_missed": missed})
        return replace(saga, state=step.to, data=data, deadline_at=self._deadline(step.to, now, missed)), step.send(data, cause)

    def _deadline(self, state: StrEnum, now: datetime, missed: int = 0) -> datetime | None:
        allowed = self.deadlines.get(state)
        if allowed is None:
            return None
        longest = max(allowed, self.longest_waits.get(state, LONGEST_WAIT))
        return now + min(allowed * (1 << min(missed, _MOST_DOUBLINGS)), longest)


def check_total(definition: Definition[Any]) -> list[str]:
    """What is wrong with a definition, a line each; a test asserts that there is nothing.

    Every pair must be in the table, and none that is not a pair; every state but the final ones must have a deadline
    that is not ignored, and every final one none; and every state be reachable from the start.
    """
    states = set(definition.states)
    pairs = {(state, trigger) for state in states for trigger in definition.triggers}
    faults = [f"undefined: {state} on {_name(trigger)}" for state, trigger in pairs - set(definition.table)]
    faults += [f"not a pair: {state} on {_name(trigger)}" for state, trigger in set(definition.table) - pairs]
    if DEADLINE_PASSED not in definition.triggers:
        faults.append("deadline_passed is not a trigger")
    for state in states:
        if state in definition.final and state in definition.deadlines:
            faults.append(f"final state with a deadline: {state}")
        if state not in definition.final and state not in definition.deadlines:
            faults.append(f"state without a deadline: {state}")
        if state in definition.deadlines and definition.table.get((state, DEADLINE_PASSED)) is IGNORED:
            faults.append(f"deadline ignored: {state}")
    faults += [f"unreachable: {state}" for state in states - _reachable(definition)]
    return sorted(faults)


def _reachable(definition: Definition[Any]) -> set[StrEnum]:
    reached: set[StrEnum] = set()
    pending: list[StrEnum] = [definition.start]
    while pending:
        state = pending.pop()
        if state not in reached:
            reached.add(state)
            pending.extend(
                step.to for (origin, _), step in definition.table.items() if origin == state and isinstance(step, Step)
            )
    return reached


def _name(trigger: Trigger) -> str:
    return trigger.value if isinstance(trigger, _Deadline) else trigger.__name__
