"""What the ledger's core works on, and what it gives back to be written."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from services.wallet_ledger.domain.account import Account, HeldMoney
from services.wallet_ledger.domain.transaction import Known, Outcome, Refused, Transaction


@dataclass(slots=True)
class Book:
    """The part of the ledger that a batch names, as read under the ledger's lock.

    `accounts` by address; `groups` holds each named group's pending holds in the order in which they were opened;
    `reserved_ids` gives an id to each address that has no account yet but may open one; `reversed` has the ids of the
    transactions that were reversed before, `taken_ids` those of the batch's ids that other transactions have. The core changes it
    in place.
    """

    last_sequence: int = 0
    last_booked_at: datetime | None = None
    accounts: dict[str, Account] = field(default_factory=dict)
    holds: dict[UUID, HeldMoney] = field(default_factory=dict)
    groups: dict[str, list[HeldMoney]] = field(default_factory=dict)
    known: dict[tuple[str, str], Known] = field(default_factory=dict)
    reserved_ids: dict[str, int] = field(default_factory=dict)
    reversed: set[UUID] = field(default_factory=set)
    taken_ids: set[UUID] = field(default_factory=set)


class TransferRow(NamedTuple):
    """One row of `transfers`: what it moved, what it held (above zero) or released (below zero), and both accounts after it."""

    transaction_sequence: int
    position: int
    id: UUID
    kind: str | None
    description: str | None
    debit_account_id: int
    credit_account_id: int
    currency: str
    amount_minor: int
    pending_minor: int
    debit_version: int
    credit_version: int
    debit_balance_after_minor: int
    credit_balance_after_minor: int
    debit_pending_after_minor: int
    credit_pending_after_minor: int
    effective_on: date | None


class Recorded(NamedTuple):
    """One transaction to write, posted or rejected, and how many rows of `transfers` it has."""

    transaction: Transaction
    outcome: Outcome
    transfer_count: int


@dataclass(slots=True)
class BatchResult:
    """An outcome for each transaction of a batch, in its order, and everything to write.

    The batch follows transaction `last_sequence_before` and ends with `last_sequence`.
    """

    last_sequence_before: int
    last_sequence: int
    booked_at: datetime
    outcomes: list[Outcome | Refused] = field(default_factory=list)
    recorded: list[Recorded] = field(default_factory=list)
    transfers: list[TransferRow] = field(default_factory=list)
    accounts: dict[int, Account] = field(default_factory=dict)
    holds: dict[UUID, HeldMoney] = field(default_factory=dict)
