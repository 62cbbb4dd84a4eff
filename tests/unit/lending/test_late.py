"""Grace, late fees and buckets."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from services.lending.domain.late import LateRules, bucket, late_fees
from services.lending.domain.loan_state import Charge, Payment
from services.lending.domain.servicing import replay
from services.lending.domain.terms import LoanTerms

DISBURSED, DUE = date(2024, 1, 1), date(2024, 2, 1)
TERMS = LoanTerms(10_000, Decimal("0.07"), 6)
RULES = LateRules(grace_days=5, minimum_fee_minor=50, overdue_share=Decimal("0.05"), maximum_fee_minor=500)


def _fees(days_late: int, *history: Payment | Charge, rules: LateRules = RULES, charged: tuple[int, ...] = ()) -> list[Charge]:
    on = DUE + timedelta(days=days_late)
    return late_fees(replay(TERMS, DISBURSED, history, on), charged, rules)


@pytest.mark.parametrize("days_late", [-1, 0, 1, 5])
def test_nothing_within_the_grace(days_late: int) -> None:
    assert _fees(days_late) == []


def test_a_share_of_what_is_overdue() -> None:
    assert _fees(6) == [Charge(1, date(2024, 2, 7), 85)]  # 5 % of 17.01


def test_at_least_the_minimum_and_at_most_the_cap() -> None:
    assert _fees(6, Payment(DUE, 1_700))[0].amount_minor == 50
    assert _fees(6, rules=LateRules(5, 50, Decimal(1), 500))[0].amount_minor == 500


def test_once_for_each_installment() -> None:
    assert _fees(20, charged=(1,)) == []
    assert [fee.number for fee in _fees(40)] == [1, 2]
    assert [fee.number for fee in _fees(40, charged=(1,))] == [2]


def test_no_fee_on_fees() -> None:
    assert _fees(6, Charge(1, DUE, 90_000))[0].amount_minor == 85
    assert _fees(6, Payment(DUE, 1_701), Charge(1, DUE, 90_000)) == []


@pytest.mark.parametrize(("days", "opened"), [(0, 0), (1, 1), (30, 1), (31, 31), (60, 31), (61, 61), (400, 61)])
def test_buckets(days: int, opened: int) -> None:
    assert bucket(days) == opened
