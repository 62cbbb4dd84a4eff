"""A deposit: money that somebody wants to bring in through a provider."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

LIFETIME = timedelta(hours=24)
"""How long the payer has. The provider is told, so that it takes no payment afterwards."""

_FIRST_SYNC_AFTER = timedelta(seconds=15)
_LONGEST_SYNC_PAUSE = timedelta(minutes=10)


class DepositStatus(StrEnum):
    """Where a deposit stands. `CREDITING`: paid, and the ledger is booking it; the public still sees `pending`."""

    PENDING = "pending"
    CREDITING = "crediting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"
    REFUNDED = "refunded"

    @property
    def public(self) -> str:
        """What the API says."""
        return DepositStatus.PENDING.value if self is DepositStatus.CREDITING else self.value


@dataclass(frozen=True)
class Deposit:
    """The intent, and what became of it. `reference` is what the provider knows it by."""

    id: UUID
    user_id: UUID
    wallet_id: UUID
    amount_minor: int
    currency: str
    provider: str
    reference: str
    status: DepositStatus
    return_url: str | None
    idempotency_key: str
    fingerprint: bytes
    created_at: datetime
    expires_at: datetime
    provider_payment_id: str | None = None
    checkout_url: str | None = None
    failure_code: str | None = None
    failure_reason: str | None = None
    next_sync_at: datetime | None = None
    settled_at: datetime | None = None

    @property
    def unpaid(self) -> bool:
        """Whether it would be news that the provider has been paid: also after its time, or after the provider said no."""
        return self.status in (DepositStatus.PENDING, DepositStatus.EXPIRED, DepositStatus.FAILED)

    def mismatch(self, *, reference: str, amount_minor: int, currency: str) -> str | None:
        """How what was paid differs from what was ordered; None when it does not."""
        ordered = {"reference": self.reference, "amount": self.amount_minor, "currency": self.currency}
        paid = {"reference": reference, "amount": amount_minor, "currency": currency}
        wrong = [f"{name} {paid[name]} instead of {ordered[name]}" for name in ordered if paid[name] != ordered[name]]
        return ", ".join(wrong) or None

    def sync_again_at(self, now: datetime) -> datetime:
        """When to ask the provider again unless a webhook comes first: often while young, seldom when old."""
        age = now - self.created_at
        return now + min(max(age / 4, _FIRST_SYNC_AFTER), _LONGEST_SYNC_PAUSE)


def deposit_reference(deposit_id: UUID) -> str:
    """What the provider is told to call a deposit."""
    return f"dep_{deposit_id.hex}"
