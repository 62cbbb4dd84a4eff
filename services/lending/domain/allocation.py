"""Which part of an installment a payment settles first: penalty, then fee, then interest, then principal."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of an installment or of a payment, in minor units, listed in the order in which they are settled."""

    penalty_minor: int = 0
    fee_minor: int = 0
    interest_minor: int = 0
    principal_minor: int = 0

    @property
    def total_minor(self) -> int:
        return self.penalty_minor + self.fee_minor + self.interest_minor + self.principal_minor

    def __add__(self, other: "Parts") -> "Parts":
        return Parts(*(mine + theirs for mine, theirs in zip(self.values(), other.values(), strict=True)))

    def __sub__(self, other: "Parts") -> "Parts":
        return Parts(*(mine - theirs for mine, theirs in zip(self.values(), other.values(), strict=True)))

    def values(self) -> Iterator[int]:
        """The amounts, in the order of settlement."""
        return (getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True, slots=True)
class Allocation:
    """What one payment settled of one installment."""

    number: int
    parts: Parts


def settle(amount_minor: int, due: Parts) -> Parts:
    """The parts of `due` that an amount pays for; at most all of it."""
    paid = []
    for part in due.values():
        paid.append(min(amount_minor, part))
        amount_minor -= paid[-1]
    return Parts(*paid)


def allocate(amount_minor: int, dues: Iterable[tuple[int, Parts]]) -> tuple[list[Allocation], int]:
    """Settle installments, given as (number, what is still due) with the oldest first.

    Returns an allocation for each installment that got something, and what is left of the amount.
    """
    allocations = []
    for number, due in dues:
        parts = settle(amount_minor, due)
        if parts.total_minor:
            allocations.append(Allocation(number, parts))
            amount_minor -= parts.total_minor
    return allocations, amount_minor
