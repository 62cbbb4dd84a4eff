"""Published cases of payoff, allocation, surplus and cover."""

from dataclasses import replace
from datetime import date
from decimal import ROUND_DOWN, Decimal

import pytest

from services.lending.domain.allocation import Parts, allocate
from services.lending.domain.day_count import DayCount
from services.lending.domain.due_dates import Frequency, FrequencyUnit
from services.lending.domain.loan_state import Payment, Surplus
from services.lending.domain.payoff import pay_off
from services.lending.domain.reserve import cover_default
from services.lending.domain.servicing import replay
from services.lending.domain.terms import LoanTerms
from tests.support.lending_examples import Vector, cents, day, of_kind, payments_of, terms_of

_SURPLUS = {
    "NEXT_INSTALLMENT": Surplus.NEXT_INSTALLMENT,
    "LAST_INSTALLMENT": Surplus.SHORTEN,
    "REAMORTIZATION": Surplus.LOWER,
}


def _payoff_terms(inputs: dict) -> LoanTerms:
    if "daily_rate_pct" not in inputs:
        return terms_of(inputs)
    return LoanTerms(
        cents(inputs["principal"]),
        Decimal(inputs["daily_rate_pct"]) / 100 * 365,
        term=4,
        day_count=DayCount.ACT_365,
        first_due_on=date(2023, 12, 22),
        interest_rounding={"DOWN": ROUND_DOWN}[inputs["interest_rounding"]],
    )


@pytest.mark.parametrize("vector", of_kind("payoff"), ids=lambda vector: vector["id"])
def test_payoff(vector: Vector) -> None:
    inputs, expected = vector["inputs"], vector["expected"]
    payoff = pay_off(_payoff_terms(inputs), day(inputs["disbursed"]), payments_of(inputs), day(inputs["payoff_date"]))
    assert payoff.parts == Parts(0, 0, cents(expected["interest"]), cents(expected["principal"]))
    assert payoff.total_minor == cents(expected["payoff"])
    assert payoff.closed.is_repaid
    assert payoff.closed.payments[-1].excess_minor == 0


def _due(installment: dict[str, str]) -> tuple[int, Parts]:
    parts = (cents(installment[part]) for part in ("penalty", "fee", "interest", "principal"))
    return int(installment["n"]), Parts(*parts)


@pytest.mark.parametrize("vector", [v for v in of_kind("allocation") if "instalments_due" in v["inputs"]], ids=lambda v: v["id"])
def test_allocation(vector: Vector) -> None:
    inputs, expected = vector["inputs"], vector["expected"]
    expected = list(expected.values()) if "first" in expected else [expected]
    dues = [_due(installment) for installment in inputs["instalments_due"]]
    for payment, parts in zip(inputs.get("payments") or [inputs["payment"]], expected, strict=True):
        allocations, left = allocate(cents(payment), dues)
        assert [allocation.parts for allocation in allocations] == [_due({"n": "0", **parts})[1]]
        assert left == 0
        dues = [(number, due - allocations[0].parts) for number, due in dues]


@pytest.mark.parametrize("vector", [v for v in of_kind("allocation") if "future_rule" in v["inputs"]], ids=lambda v: v["id"])
def test_surplus(vector: Vector) -> None:
    inputs = vector["inputs"]
    amounts = [cents(amount) for _, amount in inputs["instalments"]]
    terms = LoanTerms(
        sum(amounts),
        Decimal(inputs["interest"]),
        len(amounts),
        Frequency(FrequencyUnit.DAYS, 15),
        first_due_on=day(inputs["instalments"][0][0]),
    )
    paid_on = day(inputs["payment_date"])
    payment = Payment(paid_on, cents(inputs["payment"]), _SURPLUS[inputs["future_rule"]])
    state = replay(terms, date(2023, 9, 1), [payment], paid_on)
    assert [installment.due_on for installment in state.installments] == [day(on) for on, _ in inputs["instalments"]]
    assert [installment.paid_minor for installment in state.installments] == [
        cents(amount) for amount in vector["expected"]["paid_per_instalment"]
    ]
    assert [installment.total_minor for installment in state.installments] == amounts


def test_surplus_backwards_from_the_last() -> None:
    terms = LoanTerms(30_000, Decimal(0), 3, Frequency(FrequencyUnit.DAYS, 15), first_due_on=date(2023, 9, 16))
    payment = Payment(date(2023, 9, 16), 15_000, Surplus.SHORTEN)
    state = replay(terms, date(2023, 9, 1), [payment], payment.paid_on)
    assert [installment.paid_minor for installment in state.installments] == [10_000, 0, 5_000]


@pytest.mark.parametrize("vector", of_kind("reserve"), ids=lambda vector: vector["id"])
def test_cover(vector: Vector) -> None:
    inputs, expected = vector["inputs"], vector["expected"]
    limit = Decimal(inputs["cover_rate_minimum"]) * Decimal(inputs["cover_rate_liquidation"])
    cover = cover_default(cents(expected["default_amount"]), cents(inputs["cover_available"]), limit)
    assert cover.covered_minor == cents(expected["covered"])
    assert cover.loss_minor == cents(expected["lender_loss"])
    assert cover.reserve_after_minor == cents(expected["cover_after"])


def test_cover_never_passes_the_reserve() -> None:
    assert replace(cover_default(1_000, 300), reserve_after_minor=0) == cover_default(1_000, 300)
    assert cover_default(1_000, 300).loss_minor == 700
