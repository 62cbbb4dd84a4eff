"""What can be read in the journal: transactions, postings, and the entries of one account."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Entry:
    """One posting seen from one account: what came or went, and what was there after it. `version` orders them."""

    version: int
    id: UUID
    transaction_id: UUID
    direction: Literal["credit", "debit"]
    amount_minor: int
    currency: str
    balance_after_minor: int
    kind: str
    description: str | None
    reference: str | None
    booked_at: datetime
    effective_on: date


@dataclass(frozen=True, slots=True)
class JournalTransaction:
    """One recorded transaction. Its id is its sender's; `sequence` is its place in the order of commits."""

    sequence: int
    id: UUID
    scope: str
    idempotency_key: str
    fingerprint: bytes
    kind: str
    reference: str | None
    description: str | None
    status: Literal["posted", "rejected"]
    rejection_code: str | None
    rejection_detail: str | None
    booked_at: datetime
    effective_on: date
    initiated_by: UUID | None
    reverses_id: UUID | None
    reversed_by_id: UUID | None
    transfer_count: int


@dataclass(frozen=True, slots=True)
class Posting:
    """One row of a transaction: `held_minor` above zero was reserved, below zero released."""

    position: int
    id: UUID
    kind: str
    description: str | None
    debit_account: str
    credit_account: str
    currency: str
    amount_minor: int
    held_minor: int
    debit_balance_after_minor: int
    credit_balance_after_minor: int


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account, as operators see it."""

    id: int
    address: str
    currency: str
    status: str
    version: int
    balance_minor: int
    held_minor: int
    incoming_minor: int
    floor_minor: int | None
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class TrialBalanceLine:
    """All accounts of one kind and currency together. `kind` is the first part of their addresses."""

    currency: str
    kind: str
    accounts: int
    debits_minor: int
    credits_minor: int
    pending_debits_minor: int
    pending_credits_minor: int
