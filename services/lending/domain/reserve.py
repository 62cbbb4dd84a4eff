"""The reserve fund: what it pays to lenders when a loan defaults."""

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from shared.money import exact, round_to_minor


@dataclass(frozen=True, slots=True)
class Cover:
    """How a default is borne: by the reserve and, for the rest, by the lenders."""

    covered_minor: int
    loss_minor: int
    reserve_after_minor: int


def cover_default(owed_minor: int, reserve_minor: int, limit_rate: Decimal = Decimal(1)) -> Cover:
    """The reserve pays what is owed, up to `limit_rate` of it and up to its own balance."""
    with exact():
        limit = round_to_minor(owed_minor * limit_rate, ROUND_FLOOR)
    covered = min(owed_minor, limit, reserve_minor)
    return Cover(covered, owed_minor - covered, reserve_minor - covered)
