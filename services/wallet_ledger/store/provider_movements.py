"""What the journal moved of providers' accounts, a stretch at a time.

Sequences have no gaps and follow the commits, so a reader needs to keep one number: everything up to it is told.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.wallet_ledger.account_events import ProviderAccountMoved

_READER = "provider movements"
_POSITION = "SELECT sequence FROM journal_readers WHERE name = $1 FOR UPDATE"
_BEGIN = "INSERT INTO journal_readers (name, sequence) VALUES ($1, 0) ON CONFLICT DO NOTHING"
_END = "SELECT max(sequence) FROM (SELECT sequence FROM transactions WHERE sequence > $1 ORDER BY sequence LIMIT $2) AS following"
_MOVED = """
WITH providers AS MATERIALIZED (
    SELECT id, address, currency FROM accounts WHERE address >= 'provider:' AND address < 'provider;'
), legs AS (
    SELECT x.transaction_sequence AS sequence, x.debit_account_id AS account_id, x.amount_minor AS debit, 0 AS credit
    FROM transfers x WHERE x.transaction_sequence > $1 AND x.transaction_sequence <= $2 AND x.amount_minor > 0
        AND x.debit_account_id IN (SELECT id FROM providers)
    UNION ALL
    SELECT x.transaction_sequence, x.credit_account_id, 0, x.amount_minor
    FROM transfers x WHERE x.transaction_sequence > $1 AND x.transaction_sequence <= $2 AND x.amount_minor > 0
        AND x.credit_account_id IN (SELECT id FROM providers)
)
SELECT t.sequence, t.id, p.address, p.currency, sum(legs.debit)::bigint AS debit, sum(legs.credit)::bigint AS credit, t.kind,
       t.reference, t.scope, t.booked_at
FROM legs JOIN providers p ON p.id = legs.account_id JOIN transactions t ON t.sequence = legs.sequence
GROUP BY t.sequence, p.address, p.currency ORDER BY t.sequence, p.address
"""
_KEEP = "UPDATE journal_readers SET sequence = $2 WHERE name = $1"


class ProviderMovements:
    """The reader, on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def take(self, transactions: int) -> Sequence[ProviderAccountMoved] | None:
        """What the following transactions moved, so many at most; they count as told when this transaction commits.

        None when the end of the journal is reached.
        """
        position = (await self._connection.exec_driver_sql(_POSITION, (_READER,))).scalar()
        if position is None:
            await self._connection.exec_driver_sql(_BEGIN, (_READER,))
            position = (await self._connection.exec_driver_sql(_POSITION, (_READER,))).scalar_one()
        end = (await self._connection.exec_driver_sql(_END, (position, transactions))).scalar()
        if end is None:
            return None
        rows = (await self._connection.exec_driver_sql(_MOVED, (position, end))).all()
        await self._connection.exec_driver_sql(_KEEP, (_READER, end))
        return [_movement(row) for row in rows]


def _movement(row: Any) -> ProviderAccountMoved:
    return ProviderAccountMoved(
        transaction_id=row.id,
        sequence=row.sequence,
        provider=row.address.split(":")[1],
        account=row.address,
        currency=row.currency,
        debit_minor=row.debit,
        credit_minor=row.credit,
        kind=row.kind,
        reference=row.reference,
        requested_by=row.scope.partition(":")[0],
        booked_at=row.booked_at,
    )
