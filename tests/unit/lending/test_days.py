"""Due dates, day counts and the periods between due dates."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lending.domain.day_count import DayCount, year_fraction
from services.lending.domain.due_dates import MONTHLY, Frequency, FrequencyUnit, add_months, due_dates
from services.lending.domain.periods import periods_of
from services.lending.domain.problems import InvalidTerms
from services.lending.domain.terms import LoanTerms
from tests.support.lending_strategies import days, loans


def test_without_a_first_due_day_the_day_of_disbursal_is_the_seed() -> None:
    assert due_dates(date(2024, 1, 31), None, MONTHLY, 3) == [date(2024, 2, 29), date(2024, 3, 31), date(2024, 4, 30)]


def test_a_first_due_day_is_the_seed() -> None:
    assert due_dates(date(2024, 1, 31), date(2024, 2, 29), MONTHLY, 2) == [date(2024, 2, 29), date(2024, 3, 29)]


def test_weeks_and_days() -> None:
    start = date(2024, 2, 26)
    assert due_dates(start, None, Frequency(FrequencyUnit.WEEKS, 2), 2) == [date(2024, 3, 11), date(2024, 3, 25)]
    assert due_dates(start, None, Frequency(FrequencyUnit.DAYS, 3), 2) == [date(2024, 2, 29), date(2024, 3, 3)]


@given(days, st.integers(-200, 200))
def test_adding_months_keeps_the_day_or_takes_the_months_last(seed: date, months: int) -> None:
    result = add_months(seed, months)
    assert (result.year - seed.year) * 12 + result.month - seed.month == months
    assert result.day == seed.day or (result.day < seed.day and (result + timedelta(days=1)).day == 1)


@pytest.mark.parametrize(
    ("day_count", "start", "end", "fraction"),
    [
        (DayCount.ACT_365, date(2024, 2, 1), date(2024, 3, 1), Fraction(29, 365)),
        (DayCount.ACT_360, date(2023, 2, 1), date(2023, 3, 1), Fraction(28, 360)),
        (DayCount.ACT_364, date(2024, 1, 1), date(2024, 1, 8), Fraction(7, 364)),
        (DayCount.ACT_ACT, date(2024, 1, 1), date(2025, 1, 1), Fraction(1)),
        (DayCount.ACT_ACT, date(2023, 12, 12), date(2024, 1, 12), Fraction(20, 365) + Fraction(11, 366)),
        (DayCount.ACT_ACT, date(2023, 7, 1), date(2026, 7, 1), Fraction(184, 365) + 2 + Fraction(181, 365)),
        (DayCount.THIRTY_360, date(2024, 1, 1), date(2024, 2, 15), Fraction(44, 360)),
        (DayCount.THIRTY_360, date(2024, 1, 31), date(2024, 3, 31), Fraction(60, 360)),
        (DayCount.THIRTY_360, date(2024, 5, 5), date(2024, 5, 5), Fraction(0)),
    ],
)
def test_fractions_of_a_year(day_count: DayCount, start: date, end: date, fraction: Fraction) -> None:
    assert year_fraction(day_count, start, end) == fraction


def test_every_regular_month_is_thirty_days_of_360() -> None:
    periods = periods_of(LoanTerms(1_000, Decimal("0.1"), 4), date(2024, 1, 31))
    assert {period.year_fraction for period in periods} == {Fraction(1, 12)}


def test_a_long_first_period_counts_its_own_days() -> None:
    periods = periods_of(LoanTerms(1_000, Decimal("0.1"), 2, first_due_on=date(2024, 2, 16)), date(2024, 1, 1))
    assert [period.year_fraction for period in periods] == [Fraction(45, 360), Fraction(30, 360)]


def test_part_of_a_february() -> None:
    period = periods_of(LoanTerms(1_000, Decimal("0.07"), 2), date(2024, 1, 1))[1]
    assert period.part(date(2024, 2, 1), date(2024, 2, 15)) == Fraction(30, 360) * Fraction(14, 29)


@given(loans(longest_term=12), st.data())
def test_the_parts_of_a_period_are_the_period(loan: tuple[LoanTerms, date], data: st.DataObject) -> None:
    for period in periods_of(*loan):
        cut = data.draw(st.dates(period.starts_on, period.ends_on))
        assert period.part(period.starts_on, cut) + period.part(cut, period.ends_on) == period.part(
            period.starts_on, period.ends_on
        )


@pytest.mark.parametrize("first_due_on", [date(2024, 1, 1), date(2023, 12, 31), date(2200, 1, 1)])
def test_impossible_first_due_days(first_due_on: date) -> None:
    with pytest.raises(InvalidTerms) as refused:
        periods_of(LoanTerms(1_000, Decimal("0.1"), 2, first_due_on=first_due_on), date(2024, 1, 1))
    assert [error.field for error in refused.value.errors] == ["first_due_on"]


def test_beyond_the_calendar() -> None:
    with pytest.raises(InvalidTerms):
        periods_of(LoanTerms(1_000, Decimal("0.1"), 12), date(9999, 6, 1))


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("amount", {"principal_minor": 0}),
        ("amount", {"principal_minor": 10**15 + 1}),
        ("annual_rate", {"annual_rate": Decimal("-0.01")}),
        ("annual_rate", {"annual_rate": Decimal("NaN")}),
        ("annual_rate", {"annual_rate": Decimal("Infinity")}),
        ("annual_rate", {"annual_rate": Decimal("0.0000000000001")}),
        ("annual_rate", {"annual_rate": Decimal(101)}),
        ("term", {"term": 0}),
        ("term", {"term": 1_201}),
        ("frequency", {"frequency": Frequency(FrequencyUnit.MONTHS, 0)}),
        ("frequency", {"frequency": Frequency(FrequencyUnit.MONTHS, 10**9)}),
        ("principal_grace", {"principal_grace": 3}),
        ("interest_grace", {"interest_grace": -1}),
        ("installment_multiple", {"installment_multiple": 0}),
    ],
)
def test_impossible_terms(field: str, change: dict) -> None:
    with pytest.raises(InvalidTerms) as refused:
        LoanTerms(**{"principal_minor": 1_000, "annual_rate": Decimal("0.1"), "term": 3, **change})
    assert field in [error.field for error in refused.value.errors]
