"""The journal as an outbox: what became of each transaction is told from its own row, which holds everything that the event says.

Sequences follow the commits and have no gaps, so one number says how far the journal is told. Messages are published side by
side; the number follows the first that is not published yet, and what lies beyond it is told once more when another relay
takes over.
"""

from collections.abc import Sequence
from typing import Any
from uuid import uuid5

from services.wallet_ledger.store.announcements import SOURCE
from shared.contracts.wallet_ledger.transaction_events import TransactionPosted, TransactionRejected
from shared.messaging.envelope import Envelope, Event
from shared.messaging.relay import Waiting

_READER = "outcomes"
_BEGIN = "INSERT INTO journal_readers (name, sequence) VALUES ($1, 0) ON CONFLICT DO NOTHING"
_POSITION = "SELECT sequence FROM journal_readers WHERE name = $1"
_KEEP = "UPDATE journal_readers SET sequence = $2 WHERE name = $1"
_FOLLOWING = """
SELECT sequence, id, scope, idempotency_key, kind, reference, status, rejection_code, rejection_detail, booked_at,
       correlation_id, causation_id, traceparent
FROM transactions WHERE sequence > $1 ORDER BY sequence LIMIT $2
"""
_LAG = """
SELECT coalesce((SELECT sequence FROM transactions ORDER BY sequence DESC LIMIT 1), $1) - $1, coalesce((
    SELECT greatest(extract(epoch FROM clock_timestamp() - booked_at), 0)
    FROM transactions WHERE sequence > $1 ORDER BY sequence LIMIT 1
), 0)::float8
"""


class OutcomeSource:
    """What a relay tells of the journal. `id` of a message is the sequence of its transaction."""

    name = "wallet_ledger_outcomes"

    def __init__(self) -> None:
        self._read_to = 0
        self._untold: dict[int, Waiting] = {}

    async def begin(self, connection: Any) -> None:
        """Go on where the last relay is known to have been."""
        await connection.execute(_BEGIN, _READER)
        self._read_to = await connection.fetchval(_POSITION, _READER)
        self._untold = {}

    async def fetch(self, connection: Any, under_way: Sequence[str], limit: int) -> Sequence[Waiting]:
        """The outcomes that follow, and those that were refused before; a transaction is its own key."""
        while len(self._untold) < limit:
            rows = await connection.fetch(_FOLLOWING, self._read_to, limit - len(self._untold))
            if not rows:
                break
            self._read_to = rows[-1]["sequence"]
            self._untold |= {row["sequence"]: _waiting(row) for row in rows if row["correlation_id"] is not None}
        busy = set(under_way)
        return [one for one in self._untold.values() if one.partition_key not in busy]

    async def mark(self, connection: Any, ids: Sequence[int]) -> None:
        """Move on to the first that is untold."""
        for sequence in ids:
            del self._untold[sequence]
        await connection.execute(_KEEP, _READER, next(iter(self._untold), self._read_to + 1) - 1)

    async def lag(self, connection: Any) -> tuple[int, float]:
        """Of the journal's end."""
        waiting, seconds = await connection.fetchrow(_LAG, next(iter(self._untold), self._read_to + 1) - 1)
        return waiting, seconds


def _waiting(row: Any) -> Waiting:
    key = str(row["id"])
    return Waiting(row["sequence"], key, None, outcome_of(row).to_json().decode())


def outcome_of(row: Any) -> Envelope:
    """The event of one row of `transactions`. Its id follows from the transaction's, so that it is the same each time."""
    facts = {
        "transaction_id": row["id"],
        "idempotency_key": row["idempotency_key"],
        "requested_by": row["scope"],
        "kind": row["kind"],
        "reference": row["reference"],
    }
    event: Event = (
        TransactionPosted.model_validate({**facts, "booked_at": row["booked_at"]})
        if row["status"] == "posted"
        else TransactionRejected.model_validate({**facts, "code": row["rejection_code"], "detail": row["rejection_detail"]})
    )
    return Envelope.of(
        event,
        id=uuid5(row["id"], _READER),
        source=SOURCE,
        time=row["booked_at"],
        aggregate_id=row["id"],
        correlation_id=row["correlation_id"],
        causation_id=row["causation_id"],
        traceparent=row["traceparent"],
    )
