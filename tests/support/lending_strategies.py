"""Hypothesis strategies for loans, wide on purpose: tiny and huge amounts, odd graces, long first periods."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from services.lending.domain.day_count import DayCount
from services.lending.domain.due_dates import Frequency, FrequencyUnit
from services.lending.domain.loan_state import Charge, ChargeKind, Payment, Surplus
from services.lending.domain.terms import LoanTerms, Method
from shared.money import MAX_AMOUNT_MINOR

days = st.dates(date(2019, 1, 1), date(2033, 12, 31))

amounts = st.one_of(
    st.integers(1, 50),
    st.integers(1, 10**7),
    st.integers(1, MAX_AMOUNT_MINOR),
    st.sampled_from([1, MAX_AMOUNT_MINOR]),
)

rates = st.one_of(
    st.just(Decimal(0)),
    st.decimals(0, 1, places=4),
    st.decimals(0, 100, places=6),
)

frequencies = st.one_of(
    st.builds(Frequency, st.just(FrequencyUnit.MONTHS), st.integers(1, 12)),
    st.builds(Frequency, st.just(FrequencyUnit.WEEKS), st.integers(1, 8)),
    st.builds(Frequency, st.just(FrequencyUnit.DAYS), st.integers(1, 100)),
)


@st.composite
def loans(draw: st.DrawFn, *, longest_term: int = 60) -> tuple[LoanTerms, date]:
    """Terms, and the day of disbursal."""
    disbursed_on = draw(days)
    term = draw(st.integers(1, longest_term))
    grace = st.one_of(st.just(0), st.integers(0, term - 1))
    first_due_on = draw(st.one_of(st.none(), st.integers(1, 800).map(lambda days: disbursed_on + timedelta(days=days))))
    terms = LoanTerms(
        principal_minor=draw(amounts),
        annual_rate=draw(rates),
        term=term,
        frequency=draw(frequencies),
        method=draw(st.sampled_from(Method)),
        day_count=draw(st.sampled_from(DayCount)),
        first_due_on=first_due_on,
        principal_grace=draw(grace),
        interest_grace=draw(grace),
        installment_multiple=draw(st.one_of(st.just(1), st.sampled_from([5, 100, 1_000, 10**6]))),
    )
    return terms, disbursed_on


@st.composite
def histories(draw: st.DrawFn, terms: LoanTerms, disbursed_on: date) -> list[Payment | Charge]:
    """Payments of any size and charges, on any days of the term and some time after it, recorded in any order."""
    payments = st.builds(
        Payment,
        st.integers(0, 900).map(lambda days: disbursed_on + timedelta(days=days)),
        st.one_of(
            st.integers(1, max(1, terms.principal_minor // terms.term)),
            st.integers(1, 2 * terms.principal_minor),
            st.just(1),
        ),
        st.sampled_from(Surplus),
    )
    charges = st.builds(
        Charge,
        st.integers(1, terms.term),
        st.integers(0, 900).map(lambda days: disbursed_on + timedelta(days=days)),
        st.integers(1, 10**6),
        st.sampled_from(ChargeKind),
    )
    return draw(st.lists(st.one_of(payments, payments, charges), max_size=8))
