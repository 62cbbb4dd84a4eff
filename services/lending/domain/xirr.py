"""Returns of dated cash flows: XIRR, and IRR for flows at equal distances."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from services.lending.domain.roots import log_growth
from shared.money import exact

MIN_DAYS: Final = 30
_QUANTUM: Final = Decimal("0.000000000001")
_STEEPEST: Final = Decimal(50)
"""e^50 a year: beyond it a rate says nothing, and has more digits than are kept."""


def xirr(flows: Sequence[tuple[date, Decimal | int]]) -> Decimal | None:
    """The annual rate r with Σ amount / (1+r)^(days/365) = 0, days counted from the earliest flow; to 12 decimals.

    Money paid in is negative, money received positive, in any one unit and in any order. None ("not available") when
    the flows span less than 30 days, all have the same sign, or no rate below e^50 balances them.
    """
    by_day: dict[date, Decimal] = {}
    for on, amount in flows:
        by_day[on] = by_day.get(on, Decimal(0)) + amount
    if not by_day or (max(by_day) - min(by_day)).days < MIN_DAYS:
        return None
    start = min(by_day)
    return _rate([(Fraction((on - start).days, 365), by_day[on]) for on in sorted(by_day)])


def irr(amounts: Sequence[Decimal | int]) -> Decimal | None:
    """The rate per period of flows that follow each other at equal distances, the first one now; None as for `xirr`."""
    return _rate([(Fraction(period), Decimal(amount)) for period, amount in enumerate(amounts)])


def _rate(flows: list[tuple[Fraction, Decimal]]) -> Decimal | None:
    delta = log_growth(flows)
    if delta is None or delta > _STEEPEST:
        return None
    with exact():
        return (delta.exp() - 1).quantize(_QUANTUM)
