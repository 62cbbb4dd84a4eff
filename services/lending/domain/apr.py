"""The annual percentage rate: the European equation, and the actuarial method of Regulation Z (Appendix J)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

from services.lending.domain.due_dates import Frequency, FrequencyUnit, add_months
from services.lending.domain.roots import log_growth
from shared.money import exact

APR_QUANTUM: Final = Decimal("0.00000001")
"""Six decimals of the percentage: 6.434412 % is 0.06434412."""

_HIGHEST: Final = Decimal(10) ** 12


@dataclass(frozen=True, slots=True)
class DatedAmount:
    """Money that moves on a day, in minor units, from lender to borrower or back as the list says that it is in."""

    on: date
    amount_minor: int


def eu_years(start: date, end: date, frequency: Frequency | None = None) -> Fraction:
    """Years between two days: whole months as twelfths, counted back from `end`, and the days left over as 1/365 each.

    With a frequency of weeks or days everything is days over 365.
    """
    if frequency is not None and frequency.unit is not FrequencyUnit.MONTHS:
        return Fraction((end - start).days, 365)
    months = _whole_months(start, end)
    return Fraction(months, 12) + Fraction(_days_left(start, end, months), 365)


def eu_apr(advances: Sequence[tuple[Fraction, int]], payments: Sequence[tuple[Fraction, int]]) -> Decimal | None:
    """The effective annual rate at which advances and payments, each (years, minor units), are worth the same.

    Rounded to eight decimals of the fraction. None where no rate, or none below 10^12, balances them.
    """
    flows = [(years, -Decimal(amount)) for years, amount in advances]
    flows += [(years, Decimal(amount)) for years, amount in payments]
    delta = log_growth(flows)
    if delta is None or delta > _HIGHEST.ln():
        return None
    with exact():
        return (delta.exp() - 1).quantize(APR_QUANTUM)


class UnitPeriod(StrEnum):
    """What Appendix J counts time in; `every` of them make one unit period."""

    DAY = "day"
    WEEK = "week"
    SEMIMONTH = "semimonth"
    MONTH = "month"
    YEAR = "year"


_UNITS_A_YEAR: Final = {
    UnitPeriod.DAY: 365,
    UnitPeriod.WEEK: 52,
    UnitPeriod.SEMIMONTH: 24,
    UnitPeriod.MONTH: 12,
    UnitPeriod.YEAR: 1,
}
_DAYS_A_UNIT: Final = {UnitPeriod.DAY: 1, UnitPeriod.WEEK: 7, UnitPeriod.SEMIMONTH: 15, UnitPeriod.MONTH: 30}


def us_apr(advances: Sequence[DatedAmount], payments: Sequence[DatedAmount], unit: UnitPeriod, every: int = 1) -> Decimal | None:
    """The nominal annual rate of Appendix J (b)(8): unit-period rate times the number of unit periods a year.

    Fractions f of a unit period count with simple interest, as (1 + f·i). Rounded to eight decimals; None where no rate
    of zero or more balances the amounts.
    """
    start = min(advance.on for advance in advances)
    flows = [(*us_unit_periods(start, advance.on, unit, every), -advance.amount_minor) for advance in advances]
    flows += [(*us_unit_periods(start, payment.on, unit, every), payment.amount_minor) for payment in payments]
    rate = _unit_period_rate(flows)
    if rate is None:
        return None
    with exact():
        return (rate * _UNITS_A_YEAR[unit] / every).quantize(APR_QUANTUM)


def us_unit_periods(start: date, end: date, unit: UnitPeriod, every: int = 1) -> tuple[int, Fraction]:
    """Whole unit periods and the fraction of one between two days, as Appendix J (b)(5) counts them."""
    if unit is UnitPeriod.YEAR:
        years = _whole_months(start, end) // 12
        return years, Fraction(_days_left(start, end, 12 * years), 365)
    if unit in (UnitPeriod.DAY, UnitPeriod.WEEK):
        days = (end - start).days
    else:
        months = _whole_months(start, end)
        days = 30 * months + _days_left(start, end, months)
    whole, left = divmod(days, _DAYS_A_UNIT[unit] * every)
    return whole, Fraction(left, _DAYS_A_UNIT[unit] * every)


def _unit_period_rate(flows: Sequence[tuple[int, Fraction, int]]) -> Decimal | None:
    """Bisection on the unit-period rate: the value of a loan's flows falls as the rate rises."""
    with exact():
        fractions = [(whole, Decimal(part.numerator) / part.denominator, amount) for whole, part, amount in flows]

        def value(rate: Decimal) -> Decimal:
            return sum((amount / ((1 + part * rate) * (1 + rate) ** whole) for whole, part, amount in fractions), Decimal(0))

        low, high = Decimal(0), Decimal(1)
        if value(low) < 0:
            return None
        while value(high) > 0:
            high *= 2
            if high > _HIGHEST:
                return None
        while high - low > Decimal("1e-14"):
            middle = (low + high) / 2
            low, high = (middle, high) if value(middle) > 0 else (low, middle)
        return (low + high) / 2


def _whole_months(start: date, end: date) -> int:
    """How many months fit between the days, counting back from `end`; a month that was cut short counts as whole."""
    months = (end.year - start.year) * 12 + end.month - start.month
    if add_months(start, months) == end:
        return months
    while add_months(end, -months) < start:
        months -= 1
    return months


def _days_left(start: date, end: date, months: int) -> int:
    if add_months(start, months) == end:
        return 0
    return (add_months(end, -months) - start).days
