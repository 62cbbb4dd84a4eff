"""What holds for every loan in service, whatever is paid and charged, and when."""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.lending.domain.loan_state import Charge, InstallmentStatus, LoanState, Payment, Surplus
from services.lending.domain.payoff import pay_off
from services.lending.domain.schedule import build_schedule
from services.lending.domain.servicing import replay
from services.lending.domain.terms import LoanTerms
from tests.support.lending_strategies import histories, loans

Loan = tuple[LoanTerms, date]


@settings(max_examples=200, deadline=None)
@given(loans(longest_term=24))
def test_without_history_on_the_first_day_it_is_the_schedule(loan: Loan) -> None:
    terms, disbursed_on = loan
    state = replay(terms, disbursed_on, [], disbursed_on)
    assert _rows(state) == _scheduled(loan)
    assert state.payoff.total_minor == terms.principal_minor


@settings(max_examples=200, deadline=None)
@given(loans(longest_term=24), st.data())
def test_paid_on_time_it_stays_the_schedule(loan: Loan, data: st.DataObject) -> None:
    terms, disbursed_on = loan
    scheduled = build_schedule(terms, disbursed_on)
    payments = [Payment(row.due_on, row.total_minor) for row in scheduled if row.total_minor]
    as_of = data.draw(st.sampled_from([row.due_on for row in scheduled]))
    halfway = replay(terms, disbursed_on, payments, as_of)
    assert _rows(halfway) == _scheduled(loan)
    assert halfway.overdue_minor == 0
    state = replay(terms, disbursed_on, payments, scheduled[-1].due_on)
    assert _rows(state) == _scheduled(loan)
    assert state.is_repaid
    assert all(applied.excess_minor == 0 for applied in state.payments)
    assert {installment.status for installment in state.installments} == {InstallmentStatus.PAID}


@settings(max_examples=400, deadline=None)
@given(loans(longest_term=12), st.data())
def test_any_history_conserves_money_and_never_goes_below_zero(loan: Loan, data: st.DataObject) -> None:
    terms, disbursed_on = loan
    history = data.draw(histories(terms, disbursed_on))
    as_of = disbursed_on + timedelta(days=data.draw(st.integers(0, 900)))
    state = replay(terms, disbursed_on, history, as_of)

    paid = [entry.amount_minor for entry in history if isinstance(entry, Payment) and entry.on <= as_of]
    charged = sum(entry.amount_minor for entry in history if isinstance(entry, Charge) and entry.on <= as_of)
    assert sorted(applied.payment.amount_minor for applied in state.payments) == sorted(paid)
    for applied in state.payments:
        assert applied.parts.total_minor + applied.excess_minor == applied.payment.amount_minor
        assert min(*applied.parts.values(), applied.excess_minor) >= 0

    settled = sum(installment.paid_minor for installment in state.installments)
    assert settled + sum(applied.excess_minor for applied in state.payments) == sum(paid)
    assert sum(installment.principal_minor for installment in state.installments) == terms.principal_minor
    returned = sum(installment.paid.principal_minor for installment in state.installments)
    assert state.outstanding_principal_minor == terms.principal_minor - returned >= 0
    assert sum(row.fees_minor + row.penalty_minor for row in state.installments) == charged
    assert state.accrued_interest_minor >= state.interest_since_maturity_minor >= 0
    for installment in state.installments:
        assert min(installment.due.values()) >= 0
        assert min(installment.paid.values()) >= 0
        assert min(installment.unpaid.values()) >= 0
    assert state.installments[-1].outstanding_minor == 0
    if state.outstanding_principal_minor == 0:
        assert state.interest_since_maturity_minor == 0


@settings(max_examples=400, deadline=None)
@given(loans(longest_term=12), st.data())
def test_the_payoff_closes_the_loan_at_exactly_zero(loan: Loan, data: st.DataObject) -> None:
    terms, disbursed_on = loan
    history = data.draw(histories(terms, disbursed_on))
    on = disbursed_on + timedelta(days=data.draw(st.integers(0, 900)))
    state = replay(terms, disbursed_on, history, on)
    if state.is_repaid:
        return
    payoff = pay_off(terms, disbursed_on, history, on)
    assert payoff.parts == state.payoff
    assert payoff.closed.is_repaid
    assert payoff.closed.payments[-1].excess_minor == 0
    assert {installment.status for installment in payoff.closed.installments} == {InstallmentStatus.PAID}
    known = [entry for entry in history if entry.on <= on]
    later = replay(terms, disbursed_on, [*known, payoff.payment], on + timedelta(days=700))
    assert later.is_repaid
    assert _rows(later) == _rows(payoff.closed)
    for surplus in Surplus:
        closed = replay(terms, disbursed_on, [*known, Payment(on, payoff.total_minor, surplus)], on)
        assert closed.is_repaid


@settings(max_examples=300, deadline=None)
@given(loans(longest_term=12), st.data())
def test_paying_an_installment_early_leaves_no_residue(loan: Loan, data: st.DataObject) -> None:
    """Exactly the total of the next installment, on any day of its period, makes it paid, with no more interest."""
    terms, disbursed_on = loan
    on = disbursed_on + timedelta(days=data.draw(st.integers(0, 60)))
    before = replay(terms, disbursed_on, [], on)
    first = before.installments[0]
    if first.due_on < on or not 0 < first.total_minor < before.payoff.total_minor:
        return
    state = replay(terms, disbursed_on, [Payment(on, first.total_minor)], on)
    after = state.installments[0]
    assert after.status is InstallmentStatus.PAID
    assert after.total_minor == first.total_minor
    assert after.interest_minor <= first.interest_minor
    assert after.principal_minor >= first.principal_minor
    assert after.paid_on == on
    assert all(row.paid_minor == 0 for row in state.installments[1:])


@settings(max_examples=200, deadline=None)
@given(loans(longest_term=12), st.data())
def test_only_days_count_not_when_something_was_recorded(loan: Loan, data: st.DataObject) -> None:
    """A payment that is recorded late, for an earlier day, gives the loan that it would have had."""
    terms, disbursed_on = loan
    history = data.draw(histories(terms, disbursed_on))
    one_a_day = list({entry.on: entry for entry in history}.values())
    shuffled = data.draw(st.permutations(one_a_day))
    as_of = disbursed_on + timedelta(days=900)
    assert replay(terms, disbursed_on, shuffled, as_of) == replay(terms, disbursed_on, one_a_day, as_of)


def _rows(state: LoanState) -> list[tuple[int, int, int]]:
    return [(row.principal_minor, row.interest_minor, row.outstanding_minor) for row in state.installments]


def _scheduled(loan: Loan) -> list[tuple[int, int, int]]:
    return [(row.principal_minor, row.interest_minor, row.outstanding_minor) for row in build_schedule(*loan)]
