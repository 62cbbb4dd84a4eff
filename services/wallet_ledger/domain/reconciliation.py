"""What the nightly comparison of balances with their entries found, and from where the next one may go on. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

MISMATCHES_KEPT = 100
"""How many are kept of one run: whoever looks begins with the first."""
DAYS_BETWEEN_FULL_PASSES = 7


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something that is not what its entries add up to. `where` is an address, or a currency and kind of account."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class SealedPoint:
    """The newest block when a comparison was made, and its hash: with every row up to its end it stands for all before it."""

    block_number: int
    block_hash: bytes


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was compared, and the first mismatches.

    A full pass adds up all entries (`after_sequence` 0). Others begin after a transaction, on what balances were there.
    """

    last_sequence: int
    accounts: int
    transfers: int
    mismatch_count: int
    mismatches: tuple[Mismatch, ...]
    after_sequence: int = 0
    sealed: SealedPoint | None = None


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

    @property
    def is_full(self) -> bool:
        """Whether all entries were added up."""
        return self.found.after_sequence == 0


def point_to_go_on_from(newest: Reconciliation | None, last_full_day: date | None, day: date) -> Comparison | None:
    """The comparison that the night after `day` goes on from; None when it adds everything up.

    It does so once a week, and as long as something is wrong: what is wrong must not be taken for a beginning.
    """
    if newest is None or not newest.balanced or last_full_day is None:
        return None
    if (day - last_full_day).days >= DAYS_BETWEEN_FULL_PASSES:
        return None
    return newest.found if newest.found.last_sequence else None


def differences(names: tuple[str, ...], stored: tuple[int, ...], counted: tuple[int, ...]) -> str | None:
    """How what is stored differs from what the entries say, in words; None when it does not."""
    wrong = [
        f"{name} {is_} instead of {should}" for name, is_, should in zip(names, stored, counted, strict=True) if is_ != should
    ]
    return ", ".join(wrong) or None
