"""Reads of the journal: transactions and their postings, by id. `store.transaction_search` looks for them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.wallet_ledger.domain.journal import JournalTransaction, Posting

TRANSACTION = """
SELECT t.sequence, t.id, t.scope, t.idempotency_key, t.fingerprint, t.kind, t.reference, t.description, t.status,
       t.rejection_code, t.rejection_detail, t.booked_at, t.effective_on, t.initiated_by, t.reverses_id,
       (SELECT r.id FROM transactions r WHERE r.reverses_id = t.id AND r.status = 'posted') AS reversed_by_id, t.transfer_count
FROM transactions t
"""
_POSTINGS = """
SELECT x.position, x.id, coalesce(x.kind, t.kind) AS kind, coalesce(x.description, t.description) AS description,
       debit.address AS debit_account, credit.address AS credit_account, x.currency, x.amount_minor,
       x.pending_minor AS held_minor, x.debit_balance_after_minor, x.credit_balance_after_minor
FROM transactions t
JOIN transfers x ON x.transaction_sequence = t.sequence
JOIN accounts debit ON debit.id = x.debit_account_id
JOIN accounts credit ON credit.id = x.credit_account_id
WHERE t.id = $1 AND x.position > $2 ORDER BY x.position LIMIT $3
"""
# The first transaction booked at or after an instant, found by halving: sequences have no gaps, and booking times never fall.
SEQUENCE_AT = """
WITH RECURSIVE halves (low, high) AS (
    SELECT 1::bigint, coalesce((SELECT max(sequence) FROM transactions), 0) + 1
    UNION ALL
    SELECT CASE WHEN t.booked_at < $1 THEN t.sequence + 1 ELSE halves.low END,
           CASE WHEN t.booked_at < $1 THEN halves.high ELSE t.sequence END
    FROM halves JOIN transactions t ON t.sequence = (halves.low + halves.high) / 2
    WHERE halves.low < halves.high
)
SELECT low FROM halves WHERE low >= high
"""


class Journal:
    """The journal, on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def has_transaction(self, transaction_id: UUID) -> bool:
        """Whether the id has an outcome."""
        found = await self._connection.exec_driver_sql("SELECT 1 FROM transactions WHERE id = $1", (transaction_id,))
        return found.first() is not None

    async def transaction(self, transaction_id: UUID) -> JournalTransaction | None:
        """One transaction by its id."""
        return await self._one("WHERE t.id = $1", (transaction_id,))

    async def transaction_of_key(self, scope: str, idempotency_key: str) -> JournalTransaction | None:
        """One transaction by its key."""
        return await self._one("WHERE t.scope = $1 AND t.idempotency_key = $2", (scope, idempotency_key))

    async def postings(self, transaction_id: UUID, *, after: int = -1, limit: int = 200) -> Sequence[Posting]:
        """Rows of a transaction in their order, from the one after position `after`."""
        rows = await self._connection.exec_driver_sql(_POSTINGS, (transaction_id, after, limit))
        return [_posting(row) for row in rows]

    async def _one(self, where: str, values: tuple[Any, ...]) -> JournalTransaction | None:
        row = (await self._connection.exec_driver_sql(f"{TRANSACTION} {where}", values)).first()
        return transaction_of(row) if row is not None else None


def transaction_of(row: Any) -> JournalTransaction:
    """The transaction in a row of `TRANSACTION`."""
    return JournalTransaction(*row)


def _posting(row: Any) -> Posting:
    return Posting(*row)
