"""What a transaction is made of: its entries, in order.

A *transfer* moves money from its debit account to its credit account. A *hold* is a transfer in two phases: it reserves the
money first, and is later posted (wholly or in part), voided, or expires.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

MAX_TRANSFERS = 50_000


@dataclass(frozen=True, slots=True)
class Transfer:
    """Move money at once. `kind` and `description` replace the transaction's for this entry."""

    id: UUID
    debit_account: str
    credit_account: str
    amount_minor: int
    currency: str
    kind: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Reserve money of the debit account for the credit account. Holds of one `group` can be settled together."""

    id: UUID
    debit_account: str
    credit_account: str
    amount_minor: int
    currency: str
    group: str | None = None
    expires_at: datetime | None = None
    kind: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class PostHold:
    """Move what a hold reserved: all of it, or `amount_minor` of it, which releases the rest."""

    hold_id: UUID
    amount_minor: int | None = None


@dataclass(frozen=True, slots=True)
class VoidHold:
    """Release what a hold reserved."""

    hold_id: UUID


@dataclass(frozen=True, slots=True)
class ExpireHold:
    """Release what a hold reserved because its deadline has passed. Only the ledger itself says this."""

    hold_id: UUID


@dataclass(frozen=True, slots=True)
class PostHoldGroup:
    """Post every pending hold of a group. Rejected when there is none, or when the deadline of one has passed."""

    group: str


@dataclass(frozen=True, slots=True)
class VoidHoldGroup:
    """Void every pending hold of a group; a group without any is no failure."""

    group: str


Entry = Transfer | Hold | PostHold | VoidHold | ExpireHold | PostHoldGroup | VoidHoldGroup
