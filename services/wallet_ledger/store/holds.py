"""Reads of holds."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

_DUE = """
SELECT h.id, t.reference FROM holds h JOIN transactions t ON t.sequence = h.opened_sequence
WHERE h.status = 'pending' AND h.expires_at <= $1 ORDER BY h.expires_at LIMIT $2
"""
# By the index of pending holds by their debit account.
_PAST = """
SELECT debit_account_id AS account_id, sum(amount_minor)::bigint AS minor FROM holds
WHERE status = 'pending' AND debit_account_id = ANY ($1::bigint[]) AND expires_at <= $2 GROUP BY debit_account_id
"""


async def past_deadline(connection: AsyncConnection, account_ids: Sequence[int], now: datetime) -> Mapping[int, int]:
    """What is held of these accounts though its time is over, in minor units by account: the sweep has not come by yet."""
    rows = await connection.exec_driver_sql(_PAST, (list(account_ids), now))
    return {row.account_id: row.minor for row in rows}


async def due_holds(connection: AsyncConnection, now: datetime, limit: int) -> Sequence[tuple[UUID, str | None]]:
    """Pending holds whose deadline has passed, the oldest deadline first, with the reference they were opened under."""
    rows = await connection.exec_driver_sql(_DUE, (now, limit))
    return [(row.id, row.reference) for row in rows]
