"""A loan in service, case by case: early, late, surplus, charges, maturity."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from services.lending.domain.allocation import Parts
from services.lending.domain.loan_state import Charge, ChargeKind, InstallmentStatus, LoanState, Payment, Surplus
from services.lending.domain.payoff import pay_off
from services.lending.domain.problems import NothingOwed
from services.lending.domain.servicing import replay
from services.lending.domain.terms import LoanTerms, Method

DISBURSED = date(2024, 1, 1)
FEBRUARY, MARCH = date(2024, 2, 1), date(2024, 3, 1)
TERMS = LoanTerms(10_000, Decimal("0.07"), 6)  # six installments of 17.01, the last of 17.00


def _state(*history: Payment | Charge, as_of: date, terms: LoanTerms = TERMS) -> LoanState:
    return replay(terms, DISBURSED, history, as_of)


def test_before_anything_happens() -> None:
    state = _state(as_of=date(2024, 1, 16))
    assert state.outstanding_principal_minor == 10_000
    assert state.accrued_interest_minor == 28  # 58 × 15/31
    assert (state.due_minor, state.overdue_minor, state.days_past_due) == (0, 0, 0)
    assert state.next_due is not None
    assert (state.next_due.number, state.next_due.due_on, state.next_due.total_minor) == (1, FEBRUARY, 1_701)
    assert {installment.status for installment in state.installments} == {InstallmentStatus.UPCOMING}


def test_due_today_is_not_overdue() -> None:
    state = _state(as_of=FEBRUARY)
    assert state.installments[0].status is InstallmentStatus.DUE
    assert (state.due_minor, state.overdue_minor, state.days_past_due) == (1_701, 0, 0)
    late = _state(as_of=FEBRUARY + timedelta(days=1))
    assert late.installments[0].status is InstallmentStatus.OVERDUE
    assert (late.overdue_minor, late.days_past_due) == (1_701, 1)


def test_a_part_payment_early_pays_interest_first() -> None:
    state = _state(Payment(date(2024, 1, 16), 20), as_of=date(2024, 1, 16))
    assert state.installments[0].paid == Parts(interest_minor=20)
    assert state.installments[0].status is InstallmentStatus.PARTIAL
    assert state.outstanding_principal_minor == 10_000
    assert state.installments[0].total_minor == 1_701


def test_an_overdue_installment_is_paid_before_the_next_one() -> None:
    state = _state(Payment(date(2024, 3, 11), 2_000), as_of=date(2024, 3, 11))
    assert [installment.paid_minor for installment in state.installments] == [1_701, 299, 0, 0, 0, 0]
    assert state.installments[1].paid == Parts(interest_minor=58, principal_minor=241)
    assert state.installments[1].status is InstallmentStatus.OVERDUE


def test_charges_come_first_and_only_from_their_day() -> None:
    history = (
        Charge(1, date(2024, 2, 7), 100),
        Charge(1, date(2024, 2, 7), 30, ChargeKind.FEE),
        Payment(date(2024, 2, 10), 150),
    )
    assert _state(*history, as_of=date(2024, 2, 6)).installments[0].total_minor == 1_701
    first = _state(*history, as_of=date(2024, 2, 10)).installments[0]
    assert first.due == Parts(100, 30, 58, 1_643)
    assert first.paid == Parts(100, 30, 20, 0)


def test_entries_of_one_day_take_effect_as_recorded() -> None:
    fee, payment = Charge(1, date(2024, 2, 7), 100), Payment(date(2024, 2, 7), 1_701)
    assert _state(fee, payment, as_of=fee.on).installments[0].unpaid == Parts(principal_minor=100)
    assert _state(payment, fee, as_of=fee.on).installments[0].unpaid == Parts(penalty_minor=100)


def test_a_charge_needs_its_installment() -> None:
    with pytest.raises(ValueError, match="no installment 7"):
        _state(Charge(7, FEBRUARY, 100), as_of=FEBRUARY)


def test_surplus_shortens_the_loan() -> None:
    state = _state(Payment(FEBRUARY, 3_701, Surplus.SHORTEN), as_of=FEBRUARY)
    assert [installment.paid_minor for installment in state.installments] == [1_701, 0, 0, 0, 310, 1_690]
    assert state.installments[5].status is InstallmentStatus.PAID
    assert [installment.unpaid_minor for installment in state.installments[1:4]] == [1_701] * 3
    assert state.installments[4].unpaid_minor < 1_701


def test_surplus_lowers_the_installments() -> None:
    before = _state(Payment(FEBRUARY, 1_701), as_of=FEBRUARY)
    state = _state(Payment(FEBRUARY, 3_701, Surplus.LOWER), as_of=FEBRUARY)
    left = [installment.unpaid_minor for installment in state.installments[1:]]
    assert len(set(left[:-1])) == 1
    assert abs(left[-1] - left[0]) <= 5
    assert left[0] == 1_294  # the annuity of 63.57 over five months
    assert sum(left) < sum(installment.unpaid_minor for installment in before.installments) - 2_000


def test_surplus_within_a_period_pays_the_interest_of_the_day_first() -> None:
    for surplus in Surplus:
        state = _state(Payment(date(2024, 1, 16), 5_000, surplus), as_of=date(2024, 1, 16))
        assert state.payments[0].parts == Parts(interest_minor=28, principal_minor=4_972)
        assert state.accrued_interest_minor == 0


@pytest.mark.parametrize("method", Method)
def test_every_method_can_be_paid_early(method: Method) -> None:
    terms = LoanTerms(10_000, Decimal("0.12"), 6, method=method)
    total = _state(as_of=date(2024, 1, 11), terms=terms).installments[0].total_minor
    state = _state(Payment(date(2024, 1, 11), total), as_of=date(2024, 1, 11), terms=terms)
    assert state.installments[0].status is InstallmentStatus.PAID
    assert state.installments[0].interest_minor == 32  # 100 × 10/31


def test_interest_runs_on_after_maturity() -> None:
    matured_on = date(2024, 7, 1)
    state = _state(as_of=matured_on + timedelta(days=15))
    assert state.interest_since_maturity_minor == 29  # 100.00 × 7 % × 15/360
    assert state.due_minor == state.overdue_minor == state.payoff.total_minor == 10_000 + 6 * 58 + 29
    paid = _state(Payment(state.as_of, 377 + 17), as_of=state.as_of)
    assert paid.installments[5].interest_minor == 58 + 29
    assert paid.interest_since_maturity_minor == 0
    assert _state(Payment(state.as_of, state.due_minor), as_of=state.as_of).is_repaid


def test_money_beyond_what_is_owed_is_excess() -> None:
    state = _state(Payment(DISBURSED, 10_001), as_of=DISBURSED)
    assert state.is_repaid
    assert state.payments[0].excess_minor == 1
    assert state.next_due is None


def test_a_loan_that_is_repaid_has_no_payoff() -> None:
    with pytest.raises(NothingOwed):
        pay_off(TERMS, DISBURSED, [Payment(DISBURSED, 10_000)], FEBRUARY)


def test_a_payoff_covers_what_is_overdue_and_its_charges() -> None:
    payoff = pay_off(TERMS, DISBURSED, [Charge(1, date(2024, 2, 7), 100), Payment(MARCH, 50)], date(2024, 2, 15))
    assert payoff.parts == Parts(100, 0, 58 + 28, 10_000)  # the payment of March is not made yet
    assert payoff.overdue_minor == 1_801
    assert payoff.good_through == date(2024, 2, 15)


def test_deferred_interest_is_due_with_the_first_installment_after_its_grace() -> None:
    terms = LoanTerms(10_000, Decimal("0.12"), 6, interest_grace=2)
    state = _state(Payment(date(2024, 1, 16), 1_000), as_of=date(2024, 1, 16), terms=terms)
    assert state.payments[0].parts == Parts(principal_minor=1_000)
    assert state.accrued_interest_minor == 48  # 100 × 15/31, still deferred
    assert [installment.interest_minor for installment in state.installments[:2]] == [0, 0]
    assert pay_off(terms, DISBURSED, [], date(2024, 1, 16)).parts == Parts(interest_minor=48, principal_minor=10_000)
