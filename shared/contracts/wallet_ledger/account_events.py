"""What changed about accounts, other than by the transactions that their owners asked for."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.messaging.envelope import Event


class WalletStatusChanged(Event):
    """A wallet was frozen (no money can leave it), opened again, or closed (nothing moves any more)."""

    type: ClassVar[str] = "wallet_ledger.wallet.status_changed"

    wallet_id: UUID
    user_id: UUID
    currency: str
    status: Literal["open", "frozen", "closed"]
    changed_at: datetime
    because: Literal["operator", "owner_asked", "owner_suspended", "owner_left"] | None = Field(
        None, description="Whose doing it was; owner_suspended also when a suspension ended"
    )


class WalletCorrected(Event):
    """Operators moved money into or out of a wallet: an adjustment, or the reversal of an earlier transaction."""

    type: ClassVar[str] = "wallet_ledger.wallet.corrected"

    transaction_id: UUID
    wallet_id: UUID
    kind: str = Field(description="adjustment or reversal")
    reverses_id: UUID | None = None
    direction: Literal["credit", "debit"] = Field(description="credit came in, debit went out, all of the transaction together")
    amount_minor: int
    currency: str
    reason: str
    booked_at: datetime
    user_id: UUID | None = Field(None, description="Whose wallet it is")


class ProviderAccountMoved(Event):
    """A transaction moved money of an account that stands for a payment provider. One event a transaction and account."""

    type: ClassVar[str] = "wallet_ledger.provider_account.moved"

    transaction_id: UUID
    sequence: int = Field(description="The transaction's place in the order of commits")
    provider: str
    account: str = Field(description="Such as provider:sandbox:KES")
    currency: str
    debit_minor: int = Field(description="What the provider has of ours more than before")
    credit_minor: int = Field(description="What it has paid, or has to pay")
    kind: str
    reference: str | None = None
    requested_by: str
    booked_at: datetime


class LedgerMismatchFound(Event):
    """A reconciliation found balances that are not what their entries add up to. People must look at once."""

    type: ClassVar[str] = "wallet_ledger.reconciliation.mismatch_found"

    reconciliation_id: UUID
    mismatch_count: int
    first: str = Field(description="Where it shows first")
