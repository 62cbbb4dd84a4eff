"""Messages of a unit of work: collected while it runs, written in its transaction, sent by the relay after the commit.

Flushing is one statement: it inserts every row, in the order in which they were published, and wakes the relay. The
ledger's poster, which uses the bare driver, runs the same `INSERT` with `payload_of(envelopes)` and
`channel_of(source)`.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.crypto import Vault
from shared.ids import new_id
from shared.messaging import correlation
from shared.messaging.envelope import Command, Envelope, Event, Message
from shared.messaging.sealing import seal
from shared.telemetry import trace

# $1: a JSON array of envelopes; $2: the channel. Tables are found by the service's search_path.
INSERT = """
WITH incoming AS (
    SELECT envelope, position FROM jsonb_array_elements($1::text::jsonb) WITH ORDINALITY AS item (envelope, position)
), written AS (
    INSERT INTO outbox (message_id, type, kind, partition_key, envelope)
    SELECT (envelope ->> 'id')::uuid, envelope ->> 'type', envelope ->> 'kind', envelope ->> 'partitionkey', envelope
    FROM incoming ORDER BY position
)
SELECT pg_notify($2::text, '')
"""

# RabbitMQ 4 refuses more than 16 MiB unless configured otherwise.
MESSAGE_BYTES = 15 * 2**20


def channel_of(schema: str) -> str:
    """The NOTIFY channel that wakes the relay of `schema`."""
    return f"outbox_{schema}"


class MessageTooLarge(Exception):
    """The broker would never take this message, and every later one of its aggregate would wait behind it."""


def payload_of(envelopes: Iterable[Envelope]) -> str:
    """The first argument of `INSERT`. Raises `MessageTooLarge`."""
    return "[" + ",".join(_checked(envelope) for envelope in envelopes) + "]"


def _checked(envelope: Envelope) -> str:
    body = envelope.to_json()
    if len(body) > MESSAGE_BYTES:
        raise MessageTooLarge(f"{envelope.type} has {len(body)} bytes; {MESSAGE_BYTES} are allowed")
    return body.decode()


class Outbox:
    """What one unit of work has to tell others. `source` is the sending service, which is also its schema.

    `vault` seals what messages seal on their way.
    """

    def __init__(self, source: str, vault: Vault | None = None) -> None:
        self._source = source
        self._vault = vault
        self._pending: list[Envelope] = []

    @property
    def pending(self) -> tuple[Envelope, ...]:
        """What `flush` would write, in order."""
        return tuple(self._pending)

    def publish(self, event: Event, *, aggregate_id: UUID | str, subject: str | None = None) -> Envelope:
        """Tell whoever is interested that `event` happened to `aggregate_id`, within which order is kept."""
        return self._add(event, aggregate_id, subject)

    def send(self, command: Command, *, aggregate_id: UUID | str, subject: str | None = None) -> Envelope:
        """Ask the one service that consumes `command`. Order is kept within `aggregate_id`, the sender's aggregate."""
        return self._add(command, aggregate_id, subject)

    def add(self, message: Message, *, aggregate_id: UUID | str) -> Envelope:
        """Publish an event or send a command, whichever `message` is: for what a saga says to send."""
        return self._add(message, aggregate_id, None)

    def _add(self, message: Message, aggregate_id: UUID | str, subject: str | None) -> Envelope:
        cause = correlation.current()
        envelope = Envelope.of(
            message,
            id=new_id(),
            source=self._source,
            time=datetime.now(UTC),
            aggregate_id=aggregate_id,
            subject=subject,
            correlation_id=cause.correlation_id,
            causation_id=cause.causation_id,
            traceparent=trace.current().traceparent,
        )
        envelope = seal(envelope, message, self._vault)
        self._pending.append(envelope)
        return envelope

    async def flush(self, connection: AsyncConnection) -> None:
        """Write what is pending in `connection`'s transaction.

        Comes last before the commit, while the locks on the aggregates are held: that gives the rows of one aggregate
        the order of its commits.
        """
        if not self._pending:
            return
        await connection.exec_driver_sql(INSERT, (payload_of(self._pending), channel_of(self._source)))
        self._pending.clear()
