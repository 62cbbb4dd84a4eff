"""What the nightly comparison of balances with their entries found. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

MISMATCHES_KEPT = 100
"""How many are kept of one run: whoever looks begins with the first."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something that is not what its entries add up to. `where` is an address, or a currency and kind of account."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was compared, and the first mismatches."""

    last_sequence: int
    accounts: int
    transfers: int
    mismatch_count: int
    mismatches: tuple[Mismatch, ...]


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One run, as it is kept. `day` had ended; without `started_by` it ran by itself."""

    id: UUID
    day: date
    started_by: UUID | None
    started_at: datetime
    finished_at: datetime
    found: Comparison

    @property
    def balanced(self) -> bool:
        """Whether everything is what its entries add up to."""
        return self.found.mismatch_count == 0


def differences(names: tuple[str, ...], stored: tuple[int, ...], counted: tuple[int, ...]) -> str | None:
    """How what is stored differs from what the entries say, in words; None when it does not."""
    wrong = [
        f"{name} {is_} instead of {should}" for name, is_, should in zip(names, stored, counted, strict=True) if is_ != should
    ]
    return ", ".join(wrong) or None
