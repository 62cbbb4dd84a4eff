"""The postings of a transaction that touch one person's wallets, each seen from the wallet."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

_SIDE = """
SELECT x.position, x.id, w.id, '{side}', x.amount_minor, x.pending_minor, x.currency, x.{side}_balance_after_minor,
       coalesce(x.kind, t.kind), coalesce(x.description, t.description)
FROM wallets w JOIN transfers x ON x.{side}_account_id = w.account_id AND x.transaction_sequence = $1
JOIN transactions t ON t.sequence = x.transaction_sequence
WHERE w.user_id = $2
"""
_OWN = f"{_SIDE.format(side='debit')} UNION ALL {_SIDE.format(side='credit')} ORDER BY 1, 4 LIMIT $3"


@dataclass(frozen=True, slots=True)
class OwnPosting:
    """What one wallet gave or got; `held_minor` above zero was reserved in it (or for it), below zero released."""

    position: int
    id: UUID
    wallet_id: UUID
    direction: Literal["credit", "debit"]
    amount_minor: int
    held_minor: int
    currency: str
    balance_after_minor: int
    kind: str
    description: str | None


class OwnPostings:
    """Postings by owner, on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, transaction_sequence: int, user_id: UUID, limit: int) -> Sequence[OwnPosting]:
        """Those of this person's wallets, in the transaction's order."""
        rows = await self._connection.exec_driver_sql(_OWN, (transaction_sequence, user_id, limit))
        return [_posting(row) for row in rows]


def _posting(row: Any) -> OwnPosting:
    return OwnPosting(*row)
