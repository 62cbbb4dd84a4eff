"""What the sender of a transaction wants told with its outcome: the rows of the outbox that are written with it.

The outcome itself is not among them: the journal tells it (`outcome_source`).
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from services.wallet_ledger.domain.transaction import Outcome
from shared.ids import new_id
from shared.messaging import correlation
from shared.messaging.envelope import Envelope, Event
from shared.telemetry import trace

SOURCE = "wallet_ledger"


class OutboxRow(NamedTuple):
    """One message to write."""

    message_id: UUID
    type: str
    partition_key: str
    envelope: str


class Origin(NamedTuple):
    """What the request of a transaction belongs to; taken when it is handed in, since the poster works for many at once."""

    correlation_id: str
    causation_id: str | None
    traceparent: str

    @classmethod
    def current(cls) -> "Origin":
        """Of the present task."""
        cause = correlation.current()
        return cls(cause.correlation_id, cause.causation_id, trace.current().traceparent)


Announce = Callable[[Outcome], Sequence[tuple[Event, UUID]]]
"""Given the outcome, the further events to publish with it, each with its aggregate."""


def announcements(outcome: Outcome, origin: Origin, announce: Announce) -> Iterator[OutboxRow]:
    """What `announce` has to tell of the outcome."""
    for event, aggregate_id in announce(outcome):
        yield _event_row(event, aggregate_id, origin)


def _event_row(event: Event, aggregate_id: UUID, origin: Origin) -> OutboxRow:
    envelope = Envelope.of(
        event,
        id=new_id(),
        source=SOURCE,
        time=datetime.now(UTC),
        aggregate_id=aggregate_id,
        correlation_id=origin.correlation_id,
        causation_id=origin.causation_id,
        traceparent=origin.traceparent,
    )
    return OutboxRow(envelope.id, envelope.type, envelope.partitionkey, envelope.to_json().decode())
