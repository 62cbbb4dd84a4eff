"""The one way in which other services move money: a transaction of ordered entries that post together or not at all."""

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.messaging.envelope import Command

AmountMinor = Annotated[int, Field(ge=1, le=10**15)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Transfer(_Entry):
    """Move money at once from `debit_account` to `credit_account`."""

    entry: Literal["transfer"] = "transfer"
    id: UUID
    debit_account: str
    credit_account: str
    amount_minor: AmountMinor
    currency: str
    kind: str | None = None
    description: str | None = None


class Hold(_Entry):
    """Reserve money of `debit_account` for `credit_account`; `group` names holds that settle together."""

    entry: Literal["hold"] = "hold"
    id: UUID
    group: str | None = None
    debit_account: str
    credit_account: str
    amount_minor: AmountMinor
    currency: str
    kind: str | None = None
    description: str | None = None
    expires_at: datetime | None = None


class PostHold(_Entry):
    """Turn a hold into a transfer; less than its amount releases the rest, None means all of it."""

    entry: Literal["post_hold"] = "post_hold"
    hold_id: UUID
    amount_minor: AmountMinor | None = None


class VoidHold(_Entry):
    """Release a hold."""

    entry: Literal["void_hold"] = "void_hold"
    hold_id: UUID


class PostHoldGroup(_Entry):
    """Turn every pending hold of a group into a transfer."""

    entry: Literal["post_hold_group"] = "post_hold_group"
    group: str


class VoidHoldGroup(_Entry):
    """Release every pending hold of a group. A group without pending holds is no failure."""

    entry: Literal["void_hold_group"] = "void_hold_group"
    group: str


Entry = Annotated[Transfer | Hold | PostHold | VoidHold | PostHoldGroup | VoidHoldGroup, Field(discriminator="entry")]


class PostTransaction(Command):
    """Post a transaction. Answered by exactly one of TransactionPosted and TransactionRejected.

    `transaction_id` is chosen by the sender and correlates the answer. The idempotency key counts per sending service
    and for ever: the same key with the same content has one effect, with other content it is rejected.
    """

    type: ClassVar[str] = "wallet_ledger.transaction.post"

    transaction_id: UUID
    idempotency_key: str = Field(min_length=1, max_length=255)
    kind: str = Field(description="What the transaction is for, such as loan.disbursement")
    reference: str | None = Field(None, description="What it belongs to, such as loan:{id}")
    description: str | None = None
    effective_on: date | None = None
    entries: list[Entry] = Field(min_length=1, max_length=50_000)
