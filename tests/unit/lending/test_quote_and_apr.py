"""Quotes, and what an annual percentage rate must be whatever the loan."""

import math
from datetime import date
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.lending.domain.apr import DatedAmount, UnitPeriod, eu_apr, eu_years, us_apr
from services.lending.domain.due_dates import Frequency, FrequencyUnit
from services.lending.domain.problems import InvalidTerms
from services.lending.domain.quote import payment_times, quote
from services.lending.domain.terms import LoanTerms
from services.lending.domain.xirr import irr, xirr
from tests.support.lending_strategies import days, loans

Loan = tuple[LoanTerms, date]


def test_the_quote_of_the_european_example() -> None:
    """Example A11 with its own schedule: the last installment differs by the rounding of the others."""
    result = quote(LoanTerms(20_000_000, Decimal("0.06"), 240), date(2024, 1, 1), upfront_fee_minor=400_000)
    assert result.installments[0].total_minor == 143_286
    assert result.apr == Decimal("0.064344")
    assert result.received_minor == 19_600_000
    assert result.total_cost_minor == result.interest_minor + 400_000
    assert result.repaid_minor == sum(installment.total_minor for installment in result.installments)


def test_free_money_has_no_rate() -> None:
    assert quote(LoanTerms(1_000, Decimal(0), 4), date(2024, 1, 31)).apr == 0


def test_months_are_twelfths_whatever_their_length() -> None:
    monthly = quote(LoanTerms(1_000_000, Decimal("0.12"), 12), date(2024, 1, 31)).apr
    assert monthly == quote(LoanTerms(1_000_000, Decimal("0.12"), 12), date(2023, 5, 5)).apr
    assert monthly is not None
    assert abs(monthly - Decimal("0.126825")) < Decimal("0.000002")


@pytest.mark.parametrize("fee_minor", [-1, 1_000, 2_000])
def test_a_fee_leaves_the_borrower_something(fee_minor: int) -> None:
    with pytest.raises(InvalidTerms) as refused:
        quote(LoanTerms(1_000, Decimal(0), 4), date(2024, 1, 1), upfront_fee_minor=fee_minor)
    assert [error.field for error in refused.value.errors] == ["upfront_fee"]


@settings(max_examples=200, deadline=None)
@given(loans(longest_term=36), st.data())
def test_the_rate_makes_payments_worth_what_was_received(loan: Loan, data: st.DataObject) -> None:
    terms, disbursed_on = loan
    fee = data.draw(st.integers(0, min(terms.principal_minor - 1, terms.principal_minor // 10)))
    result = quote(terms, disbursed_on, fee)
    assume(result.apr is not None)
    assert result.apr >= 0
    if result.total_cost_minor == 0:
        assert result.apr == 0
    times = payment_times(terms, disbursed_on, result.installments)
    flows = [(time, row.total_minor) for time, row in zip(times, result.installments, strict=True)]
    rate = eu_apr([(Fraction(0), result.received_minor)], flows)
    assert rate is not None
    worth = sum(amount * math.exp(-float(time) * math.log1p(float(rate))) for time, amount in flows)
    assert worth == pytest.approx(result.received_minor, rel=1e-5)


@settings(max_examples=100, deadline=None)
@given(loans(longest_term=24))
def test_a_fee_never_lowers_the_rate(loan: Loan) -> None:
    terms, disbursed_on = loan
    assume(terms.principal_minor > 100)
    plain = quote(terms, disbursed_on).apr
    dearer = quote(terms, disbursed_on, upfront_fee_minor=terms.principal_minor // 100).apr
    assume(plain is not None and dearer is not None)
    assert dearer >= plain


def test_a_rate_beyond_all_measure_is_not_shown() -> None:
    assert eu_apr([(Fraction(0), 1)], [(Fraction(1, 365), 10**15)]) is None
    assert eu_apr([(Fraction(0), 100)], []) is None


@pytest.mark.parametrize(
    ("start", "end", "years"),
    [
        (date(2012, 1, 12), date(2012, 2, 15), Fraction(3, 365) + Fraction(1, 12)),
        (date(2024, 1, 31), date(2024, 2, 29), Fraction(1, 12)),
        (date(2024, 1, 31), date(2024, 2, 28), Fraction(28, 365)),
        (date(2024, 2, 29), date(2025, 2, 28), Fraction(1)),
        (date(2024, 1, 1), date(2024, 1, 1), Fraction(0)),
    ],
)
def test_years_of_the_european_equation(start: date, end: date, years: Fraction) -> None:
    assert eu_years(start, end) == years


def test_weeks_are_days_over_365() -> None:
    weekly = Frequency(FrequencyUnit.WEEKS, 1)
    assert eu_years(date(2024, 1, 1), date(2024, 3, 4), weekly) == Fraction(63, 365)


def test_regulation_z_by_the_year_and_by_the_day() -> None:
    advance = [DatedAmount(date(2024, 1, 1), 100_000)]
    assert us_apr(advance, [DatedAmount(date(2025, 1, 1), 110_000)], UnitPeriod.YEAR) == Decimal("0.10000000")
    assert us_apr(advance, [DatedAmount(date(2024, 1, 11), 101_000)], UnitPeriod.DAY, 10) == Decimal("0.36500000")
    assert us_apr(advance, [DatedAmount(date(2025, 1, 1), 90_000)], UnitPeriod.YEAR) is None


@given(st.lists(st.tuples(days, st.integers(-(10**9), 10**9)), min_size=2, max_size=12), st.randoms())
def test_returns_do_not_depend_on_the_order(flows: list[tuple[date, int]], random: Random) -> None:
    shuffled = list(flows)
    random.shuffle(shuffled)
    assert xirr(shuffled) == xirr(flows)


def test_returns_that_are_not_available() -> None:
    assert xirr([]) is None
    assert xirr([(date(2024, 1, 1), -100), (date(2024, 1, 30), 200)]) is None
    assert xirr([(date(2024, 1, 1), -100), (date(2024, 3, 1), -200)]) is None
    assert irr([0, 0]) is None


def test_a_return_and_a_total_loss() -> None:
    assert xirr([(date(2023, 1, 1), -100), (date(2024, 1, 1), 110)]) == Decimal("0.100000000000")
    nearly_lost = xirr([(date(2023, 1, 1), -1_000), (date(2024, 1, 1), 1)])
    assert nearly_lost == Decimal("-0.999000000000")


def test_a_rate_beyond_all_bounds_is_not_available() -> None:
    assert xirr([(date(2019, 1, 1), 0), (date(2019, 6, 1), 1), (date(2019, 6, 2), -1041)]) is None
