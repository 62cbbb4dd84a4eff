"""What became of a transaction."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared.messaging.envelope import Event


class TransactionPosted(Event):
    """Every entry of a transaction has taken effect."""

    type: ClassVar[str] = "wallet_ledger.transaction.posted"

    transaction_id: UUID
    idempotency_key: str
    requested_by: str
    kind: str
    reference: str | None = None
    booked_at: datetime


class TransactionRejected(Event):
    """No entry of a transaction has taken effect, and none ever will."""

    type: ClassVar[str] = "wallet_ledger.transaction.rejected"

    transaction_id: UUID
    idempotency_key: str
    requested_by: str
    kind: str
    reference: str | None = None
    code: str
    detail: str
