"""An adjustment: a correction that one operator asks for and another one approves. Pure.

awaiting_approval ── a second person agrees ──> approved ── the ledger posts it, or refuses ──> outcome posted | rejected
       ├─ anybody says no, or its requester takes it back ──> declined
       └─ nobody decided in time ──> expired
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from services.wallet_ledger.domain.problems import AdjustmentDecided, SecondPersonRequired

MAX_ENTRIES = 100
SCOPE = "wallet_ledger"
Kind = Literal["transfers", "reversal"]


class AdjustmentStatus(StrEnum):
    """Where it stands between people. What the ledger said is its outcome."""

    AWAITING_APPROVAL = "awaiting_approval"
    APPROVED = "approved"
    DECLINED = "declined"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class AdjustmentEntry:
    """One transfer of an adjustment, by addresses."""

    debit_account: str
    credit_account: str
    amount_minor: int
    currency: str
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One adjustment. `transaction_id` is what it is posted as; a reversal has its entries from `reverses_id`."""

    id: UUID
    kind: Kind
    entries: tuple[AdjustmentEntry, ...]
    reverses_id: UUID | None
    reference: str | None
    effective_on: date | None
    reason: str
    requested_by: UUID
    requested_at: datetime
    expires_at: datetime
    status: AdjustmentStatus
    transaction_id: UUID
    decided_by: UUID | None = None
    decided_at: datetime | None = None
    decision_reason: str | None = None
    outcome: Literal["posted", "rejected"] | None = None
    rejection_code: str | None = None
    rejection_detail: str | None = None

    @property
    def idempotency_key(self) -> str:
        """Under which the ledger knows it, for ever: it is posted once, however often it is tried."""
        return f"adjustment:{self.id}"

    @property
    def fingerprint(self) -> bytes:
        """32 bytes of what was asked for."""
        said = json.dumps([str(self.id), self.kind, *self.facts()["entries"], str(self.reverses_id)])
        return hashlib.sha256(said.encode()).digest()

    def facts(self) -> dict[str, Any]:
        """What an auditor wants to see of it."""
        return {
            "kind": self.kind,
            "status": self.status.value,
            "reason": self.reason,
            "entries": [
                {
                    "debit_account": entry.debit_account,
                    "credit_account": entry.credit_account,
                    "amount_minor": entry.amount_minor,
                    "currency": entry.currency,
                }
                for entry in self.entries
            ],
            "reverses_id": str(self.reverses_id) if self.reverses_id is not None else None,
            "requested_by": str(self.requested_by),
        }


def check_undecided(adjustment: Adjustment, now: datetime) -> None:
    """Somebody may still decide it. Raises `AdjustmentDecided`."""
    status = adjustment.status
    if status is AdjustmentStatus.AWAITING_APPROVAL and adjustment.expires_at <= now:
        status = AdjustmentStatus.EXPIRED
    if status is not AdjustmentStatus.AWAITING_APPROVAL:
        raise AdjustmentDecided(f"It is {status.value}. Ask for a new one if something is still to be corrected.")


def check_second_person(adjustment: Adjustment, person_id: UUID) -> None:
    """Whoever asked for it does not approve it. Raises `SecondPersonRequired`."""
    if adjustment.requested_by == person_id:
        raise SecondPersonRequired("You asked for it yourself. Another administrator has to approve it; you may decline it.")
