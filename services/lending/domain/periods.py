"""The periods between due dates, and how much of a year each of them, or a part of it, is."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from services.lending.domain.day_count import DayCount, year_fraction
from services.lending.domain.due_dates import FrequencyUnit, due_dates
from services.lending.domain.problems import InvalidTerms
from services.lending.domain.terms import MAX_YEARS, LoanTerms
from shared.problems import FieldError


@dataclass(frozen=True, slots=True)
class Period:
    """The days for which one installment's interest runs: from `starts_on` to `ends_on`, its due date."""

    starts_on: date
    ends_on: date
    year_fraction: Fraction
    day_count: DayCount

    def part(self, starts_on: date, ends_on: date) -> Fraction:
        """The fraction of a year between two days within the period.

        Real days of the calendar for `act/act`, else the period's own fraction shared out by days: half of a February
        counts 15 days under `30/360`.
        """
        if self.day_count is DayCount.ACT_ACT:
            return year_fraction(self.day_count, starts_on, ends_on)
        return self.year_fraction * (ends_on - starts_on).days / (self.ends_on - self.starts_on).days


def periods_of(terms: LoanTerms, disbursed_on: date) -> tuple[Period, ...]:
    """The periods of a loan paid out on `disbursed_on`; raises `InvalidTerms` for an impossible first due day."""
    first_due_on = terms.first_due_on
    if first_due_on is not None and not 0 < (first_due_on - disbursed_on).days <= MAX_YEARS * 366:
        message = "must be after the day of disbursal"
        raise InvalidTerms(f"first_due_on {message}", errors=[FieldError("first_due_on", message)])
    try:
        ends = due_dates(disbursed_on, first_due_on, terms.frequency, terms.term)
    except (ValueError, OverflowError):
        message = "is too late for the calendar"
        raise InvalidTerms(f"first_due_on {message}", errors=[FieldError("first_due_on", message)]) from None
    starts = [disbursed_on, *ends[:-1]]
    regular_from = 0 if ends[0] == terms.frequency.after(disbursed_on, 1) else 1
    return tuple(
        Period(start, end, _fraction(terms, start, end, regular=index >= regular_from), terms.day_count)
        for index, (start, end) in enumerate(zip(starts, ends, strict=True))
    )


def fraction_between(terms: LoanTerms, starts_on: date, ends_on: date) -> Fraction:
    """The fraction of a year between two days that no regular period covers: a first period of odd length, or after the last."""
    return _fraction(terms, starts_on, ends_on, regular=False)


def _fraction(terms: LoanTerms, starts_on: date, ends_on: date, *, regular: bool) -> Fraction:
    if terms.day_count is not DayCount.THIRTY_360:
        return year_fraction(terms.day_count, starts_on, ends_on)
    if terms.frequency.unit is not FrequencyUnit.MONTHS:
        return Fraction((ends_on - starts_on).days, 360)
    if regular:
        return Fraction(30 * terms.frequency.every, 360)
    return year_fraction(DayCount.THIRTY_360, starts_on, ends_on)
