"""What happened to wallets."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared.messaging.envelope import Event


class WalletOpened(Event):
    """Somebody has a new wallet."""

    type: ClassVar[str] = "wallet_ledger.wallet.opened"

    wallet_id: UUID
    user_id: UUID
    currency: str
    name: str
    opened_at: datetime


class TransferCompleted(Event):
    """One person sent money to another, or between their own wallets."""

    type: ClassVar[str] = "wallet_ledger.transfer.completed"

    transfer_id: UUID
    from_user_id: UUID
    from_wallet_id: UUID
    to_user_id: UUID
    to_wallet_id: UUID
    amount_minor: int
    currency: str
    description: str | None = None
    completed_at: datetime
