"""What holds for every schedule, whatever the terms."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings

from services.lending.domain.plan import make_plan
from services.lending.domain.schedule import build_schedule
from services.lending.domain.terms import LoanTerms, Method
from tests.support.lending_strategies import loans

Loan = tuple[LoanTerms, date]


@settings(max_examples=400, deadline=None)
@given(loans())
def test_invariants(loan: Loan) -> None:
    terms, disbursed_on = loan
    installments = build_schedule(terms, disbursed_on)
    assert [installment.number for installment in installments] == list(range(1, terms.term + 1))
    assert sum(installment.principal_minor for installment in installments) == terms.principal_minor
    assert installments[-1].outstanding_minor == 0
    assert all(installment.principal_minor >= 0 and installment.interest_minor >= 0 for installment in installments)
    due_days = [installment.due_on for installment in installments]
    assert disbursed_on < due_days[0]
    assert sorted(set(due_days)) == due_days
    balance = terms.principal_minor
    for installment in installments:
        balance -= installment.principal_minor
        assert installment.outstanding_minor == balance


@settings(max_examples=200, deadline=None)
@given(loans())
def test_graces(loan: Loan) -> None:
    terms, disbursed_on = loan
    installments = build_schedule(terms, disbursed_on)
    assert all(installment.principal_minor == 0 for installment in installments[: terms.principal_grace])
    assert all(installment.interest_minor == 0 for installment in installments[: terms.interest_grace])


@settings(max_examples=200, deadline=None)
@given(loans())
def test_no_interest_is_lost(loan: Loan) -> None:
    """What the periods accrue on their balances is what the installments charge, whichever of them it is due with."""
    terms, disbursed_on = loan
    plan = make_plan(terms, disbursed_on)
    balance, accrued = terms.principal_minor, 0
    installments = build_schedule(terms, disbursed_on)
    for index, installment in enumerate(installments):
        accrued += plan.interest_minor(index, balance)
        balance = installment.outstanding_minor
    assert sum(installment.interest_minor for installment in installments) == accrued


@settings(max_examples=200, deadline=None)
@given(loans())
def test_annuities_are_equal_but_for_the_last(loan: Loan) -> None:
    terms, disbursed_on = loan
    if terms.method is not Method.ANNUITY or terms.first_due_on is not None:
        return
    paying = [row for row in build_schedule(terms, disbursed_on)[terms.principal_grace : -1] if row.outstanding_minor]
    assert len({row.total_minor for row in paying}) <= 1
    multiple = terms.installment_multiple
    assert all(row.total_minor % multiple == 0 or row.total_minor < multiple for row in paying)


@settings(max_examples=200, deadline=None)
@given(loans())
def test_the_term_is_as_asked(loan: Loan) -> None:
    """As long as an installment is many minor units, the last one has principal left to pay."""
    terms, disbursed_on = loan
    installments = build_schedule(terms, disbursed_on)
    years = (installments[-1].due_on - disbursed_on).days / 365
    # Compounding multiplies the half minor unit by which an installment is rounded.
    grows_little = terms.annual_rate * Decimal(years) < 4
    # Interest that is deferred leaves more of the first installments to the principal, which may be gone before the end.
    plain = terms.first_due_on is None and terms.interest_grace == 0
    if plain and grows_little and terms.principal_minor >= 10**4 * terms.term:
        assert installments[-1].principal_minor > 0


@settings(max_examples=100, deadline=None)
@given(loans())
def test_without_interest(loan: Loan) -> None:
    terms, disbursed_on = loan
    if terms.annual_rate == 0:
        assert all(installment.interest_minor == 0 for installment in build_schedule(terms, disbursed_on))


def test_interest_that_does_not_fit_waits() -> None:
    """A first period of two years at 60 %: the installments stay equal, the last one takes what is left."""
    disbursed_on = date(2024, 1, 1)
    terms = LoanTerms(100_000, Decimal("0.60"), 6, first_due_on=disbursed_on + timedelta(days=731))
    installments = build_schedule(terms, disbursed_on)
    assert installments[0].principal_minor == 0
    assert len({installment.total_minor for installment in installments[:-1]}) == 1
    assert sum(installment.principal_minor for installment in installments) == 100_000


def test_fewer_minor_units_than_installments() -> None:
    installments = build_schedule(LoanTerms(5, Decimal("0.10"), 12), date(2024, 1, 31))
    assert [installment.principal_minor for installment in installments] == [1] * 5 + [0] * 7


def test_a_multiple_larger_than_the_installment_is_left_out_of_account() -> None:
    plain = build_schedule(LoanTerms(12_000, Decimal("0.12"), 12), date(2024, 1, 1))
    assert build_schedule(LoanTerms(12_000, Decimal("0.12"), 12, installment_multiple=5_000), date(2024, 1, 1)) == plain


def test_rounding_up_to_the_multiple_does_not_end_the_loan_early() -> None:
    terms = LoanTerms(100_000, Decimal(0), 18, installment_multiple=1_000)  # 5,556 would round to 6,000: 17 installments
    installments = build_schedule(terms, date(2024, 1, 1))
    assert {installment.total_minor for installment in installments[:-1]} == {5_000}
    assert installments[-1].total_minor == 15_000
