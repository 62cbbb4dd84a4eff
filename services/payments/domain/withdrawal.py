"""A withdrawal: money that somebody wants to have paid out through a provider."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class WithdrawalStatus(StrEnum):
    """Where a withdrawal stands. `PROCESSING`: the provider has been asked to pay, and there is no way back."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def settled(self) -> bool:
        """Whether it is over."""
        return self in (WithdrawalStatus.COMPLETED, WithdrawalStatus.FAILED, WithdrawalStatus.CANCELLED)


@dataclass(frozen=True)
class Withdrawal:
    """The order, and what became of it. `reference` is what the provider knows it by."""

    id: UUID
    user_id: UUID
    wallet_id: UUID
    amount_minor: int
    currency: str
    provider: str
    destination_encrypted: bytes
    destination_masked: dict[str, str]
    reference: str
    status: WithdrawalStatus
    created_at: datetime
    payout_destination_id: UUID | None = None
    provider_payout_id: str | None = None
    failure_code: str | None = None
    failure_reason: str | None = None
    payout_called_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    settled_at: datetime | None = None

    def matches(self, *, reference: str, amount_minor: int, currency: str) -> bool:
        """Whether this is what was ordered."""
        return (reference, amount_minor, currency) == (self.reference, self.amount_minor, self.currency)


def withdrawal_reference(withdrawal_id: UUID) -> str:
    """What the provider is told to call a withdrawal."""
    return f"wdr_{withdrawal_id.hex}"
