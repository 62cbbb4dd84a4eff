"""A transaction as somebody asks for it, and what became of it.

Named tuples here and in `entries` are made once or more for every transfer, at a third of the cost of frozen dataclasses.
"""

from datetime import date, datetime
from typing import Literal, NamedTuple
from uuid import UUID

from services.wallet_ledger.domain.entries import Entry


class Transaction(NamedTuple):
    """Entries that take effect together, in order, or not at all.

    `scope` and `idempotency_key` name the request for ever; `fingerprint` (32 bytes) says what was asked, so that the key
    cannot be used for anything else. `scope` is the service or the person who asks.
    """

    id: UUID
    scope: str
    idempotency_key: str
    fingerprint: bytes
    kind: str
    entries: tuple[Entry, ...]
    reference: str | None = None
    description: str | None = None
    effective_on: date | None = None
    initiated_by: UUID | None = None
    reverses: UUID | None = None


class Outcome(NamedTuple):
    """What became of a transaction, for ever. A replay names the transaction that the first request made.

    `known` says that it had been decided when this request came, be it by the same request, whose answer was lost.
    """

    transaction_id: UUID
    status: Literal["posted", "rejected"]
    sequence: int
    booked_at: datetime
    code: str | None = None
    detail: str | None = None
    replayed: bool = False
    known: bool = False

    @property
    def posted(self) -> bool:
        """Whether every entry has taken effect."""
        return self.status == "posted"

    def answer_to(self, transaction_id: UUID) -> "Outcome":
        """The same outcome, for a request with the same key: a replay unless it asks for the very same transaction."""
        return self._replace(known=True, replayed=transaction_id != self.transaction_id)


class Refused(NamedTuple):
    """The request was not looked at: its key, or its transaction's id, belongs to another one. Nothing is recorded."""

    code: Literal["idempotency_key_reused", "transaction_id_reused"]
    detail: str


class Known(NamedTuple):
    """A key that has its outcome already."""

    fingerprint: bytes
    outcome: Outcome


class Rejected(Exception):
    """A transaction breaks a rule of the ledger. Raised and caught inside the ledger's core."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
