"""What a transaction is made of: its entries, in order.

A *transfer* moves money from its debit account to its credit account. A *hold* is a transfer in two phases: it reserves the
money first, and is later posted (wholly or in part), voided, or expires.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

MAX_TRANSFERS = 50_000


class Transfer(NamedTuple):
    """Move money at once. `kind` and `description` replace the transaction's for this entry."""

    id: UUID
    debit_account: str
    credit_account: str
    amount_minor: int
    currency: str
    kind: str | None = None
    description: str | None = None


class Hold(NamedTuple):
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


class PostHold(NamedTuple):
    """Move what a hold reserved: all of it, or `amount_minor` of it, which releases the rest."""

    hold_id: UUID
    amount_minor: int | None = None


class VoidHold(NamedTuple):
    """Release what a hold reserved."""

    hold_id: UUID


class ExpireHold(NamedTuple):
    """Release what a hold reserved because its deadline has passed. Only the ledger itself says this."""

    hold_id: UUID


class PostHoldGroup(NamedTuple):
    """Post every pending hold of a group. Rejected when there is none, or when the deadline of one has passed."""

    group: str


class VoidHoldGroup(NamedTuple):
    """Void every pending hold of a group; a group without any is no failure."""

    group: str


Entry = Transfer | Hold | PostHold | VoidHold | ExpireHold | PostHoldGroup | VoidHoldGroup
