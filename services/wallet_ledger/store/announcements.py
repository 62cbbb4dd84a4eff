"""The rows of the outbox that a batch writes: what became of each transaction, and what else its sender wants told.

A batch tells hundreds of outcomes, so their envelopes are written as plain JSON here; a test holds them to be what
`Envelope.of` would make of the contract's classes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as _quoted
from typing import NamedTuple
from uuid import UUID

from services.wallet_ledger.domain.transaction import Outcome, Transaction
from shared.contracts.wallet_ledger.transaction_events import TransactionPosted, TransactionRejected
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


@dataclass(frozen=True, slots=True)
class Origin:
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


def announcements(transaction: Transaction, outcome: Outcome, origin: Origin, announce: Announce | None) -> Iterator[OutboxRow]:
    """The outcome's own event, and those that `announce` adds."""
    yield _outcome_row(transaction, outcome, origin)
    if announce is not None:
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


def _outcome_row(transaction: Transaction, outcome: Outcome, origin: Origin) -> OutboxRow:
    """Written as text: this runs once for every transaction, between the decision and the commit."""
    message_id, transaction_id = new_id(), str(transaction.id)
    booked_at = outcome.booked_at.isoformat().replace("+00:00", "Z")
    reference = f'"reference":{_quoted(transaction.reference)},' if transaction.reference is not None else '"reference":null,'
    if outcome.posted:
        event: type[Event] = TransactionPosted
        told = f'"booked_at":"{booked_at}"'
    else:
        event = TransactionRejected
        told = f'"code":{_quoted(outcome.code or "")},"detail":{_quoted(outcome.detail or "")}'
    causation = f'"causationid":{_quoted(origin.causation_id)},' if origin.causation_id is not None else ""
    envelope = (
        f'{{"specversion":"1.0","id":"{message_id}","source":"{SOURCE}","type":"{event.type}",'
        f'"subject":"{transaction_id}","time":"{booked_at}","datacontenttype":"application/json",'
        f'"dataversion":{event.version},"kind":"event","partitionkey":"{transaction_id}",'
        f'"correlationid":{_quoted(origin.correlation_id)},{causation}"traceparent":"{origin.traceparent}",'
        f'"data":{{"transaction_id":"{transaction_id}","idempotency_key":{_quoted(transaction.idempotency_key)},'
        f'"requested_by":{_quoted(transaction.scope)},"kind":{_quoted(transaction.kind)},{reference}{told}}}}}'
    )
    return OutboxRow(message_id, event.type, transaction_id, envelope)
