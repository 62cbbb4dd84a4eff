"""An account and a hold as the ledger's core works on them.

Both are working copies of rows, changed in place while a batch runs: a batch touches thousands of them, and a new object for
each step would cost more than the rules themselves.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID


class AccountStatus(StrEnum):
    """`frozen`: money may come in, none may leave or be promised. `closed`: nothing moves any more."""

    OPEN = "open"
    FROZEN = "frozen"
    CLOSED = "closed"


@dataclass(slots=True)
class Account:
    """One account. Amounts are minor units of `currency`; `version` counts the rows of `transfers` that name it."""

    id: int
    address: str
    currency: str
    floor_minor: int | None
    status: AccountStatus = AccountStatus.OPEN
    version: int = 0
    debits_posted_minor: int = 0
    credits_posted_minor: int = 0
    debits_pending_minor: int = 0
    credits_pending_minor: int = 0
    maximum_balance_minor: int | None = None
    daily_debit_limit_minor: int | None = None
    debited_on: date | None = None
    debited_minor: int = 0
    stored_version: int = 0
    is_new: bool = False

    @property
    def balance_minor(self) -> int:
        """What has been posted: credits less debits."""
        return self.credits_posted_minor - self.debits_posted_minor

    @property
    def available_minor(self) -> int:
        """The balance less what is held."""
        return self.credits_posted_minor - self.debits_posted_minor - self.debits_pending_minor


class HoldStatus(StrEnum):
    """A hold leaves `pending` once, and for ever."""

    PENDING = "pending"
    POSTED = "posted"
    VOIDED = "voided"
    EXPIRED = "expired"


@dataclass(slots=True)
class HeldMoney:
    """One hold. `opened` and `settled` name its rows in `transfers`: (transaction sequence, position)."""

    id: UUID
    debit: Account
    credit: Account
    amount_minor: int
    currency: str
    opened: tuple[int, int]
    group: str | None = None
    expires_at: datetime | None = None
    kind: str | None = None
    description: str | None = None
    status: HoldStatus = HoldStatus.PENDING
    posted_amount_minor: int = 0
    settled: tuple[int, int] | None = None
    is_new: bool = False
