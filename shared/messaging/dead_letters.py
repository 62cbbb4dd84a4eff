"""Messages that a consumer could not handle: kept in its own schema, listed, replayed or discarded by an operator.

The same on every transport. A replay is a row of the consumer's own outbox that names this one consumer: it is as durable as
any message, nobody else sees it, and if it fails again the same dead letter is dead again. Either decision is told to the
audit log in the transaction that makes it.
"""

import base64
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.contracts.auth.audit_events import ActionTaken
from shared.ids import new_id
from shared.messaging.envelope import Envelope
from shared.messaging.outbox import Outbox, channel_of
from shared.telemetry import trace

_IDS_TOLD = 100

Status = Literal["dead", "replayed", "discarded"]

_STORE = """
INSERT INTO dead_letters AS kept (consumer, message_id, type, envelope, error, attempts)
VALUES ($1, $2, $3, $4::text::jsonb, $5, $6)
ON CONFLICT (consumer, message_id) DO UPDATE
SET error = excluded.error, attempts = kept.attempts + excluded.attempts, status = 'dead',
    last_failed_at = clock_timestamp()
"""
_LIST = """
SELECT id, consumer, message_id, type, envelope::text AS envelope, error, attempts, status, first_failed_at, last_failed_at
FROM dead_letters WHERE consumer = $1 AND status = $2 AND id > $3 ORDER BY id LIMIT $4
"""
_COUNT = "SELECT count(*) FROM dead_letters WHERE consumer = $1 AND status = 'dead'"
# What is not an envelope has nobody to go to; it can only be discarded.
_REPLAY = """
WITH chosen AS (
    UPDATE dead_letters SET status = 'replayed'
    WHERE consumer = $1 AND status = 'dead' AND envelope ? 'specversion' AND ($2::bigint[] IS NULL OR id = ANY ($2))
    RETURNING id, type, envelope
), written AS (
    INSERT INTO outbox (message_id, type, kind, partition_key, consumer, envelope)
    SELECT gen_random_uuid(), type, envelope ->> 'kind', envelope ->> 'partitionkey', $1, envelope
    FROM chosen ORDER BY id
), woken AS (
    SELECT pg_notify($3::text, '')
)
SELECT id, type FROM chosen, woken ORDER BY id
"""
_DISCARD = """
UPDATE dead_letters SET status = 'discarded'
WHERE consumer = $1 AND status = 'dead' AND ($2::bigint[] IS NULL OR id = ANY ($2)) RETURNING id, type
"""


@dataclass(frozen=True)
class DeadLetter:
    """One message, what was wrong with it, and what was decided."""

    id: int
    consumer: str
    message_id: UUID
    type: str
    envelope: Mapping[str, Any]
    error: str
    attempts: int
    status: Status
    first_failed_at: datetime
    last_failed_at: datetime


class DeadLetters:
    """The dead letters of one consumer, which is a service and its schema. `engine` connects as that service."""

    def __init__(self, engine: AsyncEngine, consumer: str) -> None:
        self._engine = engine
        self._consumer = consumer

    async def store(self, message_id: UUID, body: bytes, envelope: Envelope | None, error: str, attempts: int) -> None:
        """Keep a message that could not be handled; one that is here already is updated."""
        kept = _as_json(body, envelope)
        kind = envelope.type if envelope else "unknown"
        async with self._engine.begin() as connection:
            await connection.exec_driver_sql(_STORE, (self._consumer, message_id, kind, kept, error, attempts))

    async def list(self, *, status: Status = "dead", after: int = 0, limit: int = 100) -> Sequence[DeadLetter]:
        """Dead letters in the order in which they first failed, from the one after id `after`."""
        async with self._engine.connect() as connection:
            rows = await connection.exec_driver_sql(_LIST, (self._consumer, status, after, limit))
            return [DeadLetter(**{**row, "envelope": json.loads(row["envelope"])}) for row in rows.mappings()]

    async def count(self) -> int:
        """How many wait for a decision."""
        async with self._engine.connect() as connection:
            return int((await connection.exec_driver_sql(_COUNT, (self._consumer,))).scalar_one())

    async def replay(self, ids: Sequence[int] | None = None) -> Sequence[int]:
        """Deliver these (default: all that are dead) to this consumer once more; the ids for which that was possible."""
        chosen = list(ids) if ids is not None else None
        async with self._engine.begin() as connection:
            rows = await connection.exec_driver_sql(_REPLAY, (self._consumer, chosen, channel_of(self._consumer)))
            return await self._decided("replayed", rows.all(), connection)

    async def discard(self, ids: Sequence[int] | None = None) -> Sequence[int]:
        """Give these (default: all that are dead) up for good; the ids for which that was possible. The rows stay."""
        chosen = list(ids) if ids is not None else None
        async with self._engine.begin() as connection:
            rows = await connection.exec_driver_sql(_DISCARD, (self._consumer, chosen))
            return await self._decided("discarded", sorted(rows.all()), connection)

    async def _decided(self, what: str, letters: Sequence[Any], connection: AsyncConnection) -> Sequence[int]:
        """Tell the audit log; the ids. It is done on the host, where nobody has to say who they are."""
        ids = [letter.id for letter in letters]
        if ids:
            outbox = Outbox(self._consumer)
            outbox.publish(
                ActionTaken(
                    id=new_id(),
                    at=datetime.now(UTC),
                    service=self._consumer,
                    action=f"dead_letters.{what}_on_host",
                    actor_kind="system",
                    subject_kind="service",
                    subject_id=self._consumer,
                    trace_id=trace.current().trace_id,
                    after={"count": len(ids), "ids": ids[:_IDS_TOLD], "types": dict(Counter(letter.type for letter in letters))},
                ),
                aggregate_id=f"dead_letters:{self._consumer}",
            )
            await outbox.flush(connection)
        return ids


def _as_json(body: bytes, envelope: Envelope | None) -> str:
    if envelope is not None and b"\\u0000" not in body:  # which jsonb cannot hold
        return body.decode()
    return json.dumps({"base64": base64.b64encode(body).decode()})
