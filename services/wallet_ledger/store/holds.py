"""Reads of holds."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

_DUE = """
SELECT h.id, t.reference FROM holds h JOIN transactions t ON t.sequence = h.opened_sequence
WHERE h.status = 'pending' AND h.expires_at <= $1 ORDER BY h.expires_at LIMIT $2
"""


async def due_holds(connection: AsyncConnection, now: datetime, limit: int) -> Sequence[tuple[UUID, str | None]]:
    """Pending holds whose deadline has passed, the oldest deadline first, with the reference they were opened under."""
    rows = await connection.exec_driver_sql(_DUE, (now, limit))
    return [(row.id, row.reference) for row in rows]
