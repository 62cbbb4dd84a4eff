"""Published annual percentage rates, returns, annuities and splits."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from services.lending.domain.apr import DatedAmount, UnitPeriod, eu_apr, eu_years, us_apr
from services.lending.domain.due_dates import add_months
from services.lending.domain.plan import annuity, interest_on
from services.lending.domain.xirr import irr, xirr
from shared.money import exact, split_by_largest_remainder
from tests.support.lending_examples import VECTORS, Vector, cents, day, of_kind

_KINDS_TESTED = {
    "schedule", "due-dates", "payoff", "allocation", "reserve", "apr-us", "apr-eu", "xirr", "irr", "annuity", "pro-rata",
}  # fmt: skip


def test_no_vector_is_left_out() -> None:
    assert {vector["kind"] for vector in VECTORS} == _KINDS_TESTED


def _us_due_dates(first: date, unit: str, units: int, count: int) -> list[date]:
    if unit == "week":
        return [first + timedelta(days=7 * units * index) for index in range(count)]
    if unit == "semimonth":
        months = [add_months(first, index // 2) for index in range(count)]
        return [month + timedelta(days=15 * (index % 2)) for index, month in enumerate(months)]
    return [add_months(first, units * index) for index in range(count)]


@pytest.mark.parametrize("vector", of_kind("apr-us"), ids=lambda vector: vector["id"])
def test_apr_of_regulation_z(vector: Vector) -> None:
    inputs = vector["inputs"]
    unit, units = inputs.get("every", "month"), inputs.get("units", 1)
    days = _us_due_dates(day(inputs["first_payment"]), unit, units, inputs["n"])
    amounts = [cents(inputs["payment"])] * inputs["n"]
    amounts[0] = cents(inputs.get("first_amount", inputs["payment"]))
    amounts[-1] = cents(inputs.get("last_amount", inputs["payment"]))
    rate = us_apr(
        [DatedAmount(day(inputs["advance_date"]), cents(inputs["advance"]))],
        [DatedAmount(on, amount) for on, amount in zip(days, amounts, strict=True)],
        UnitPeriod(unit),
        units,
    )
    assert rate is not None
    assert round(rate * 100, 2) == Decimal(vector["expected"]["apr_pct"])


@pytest.mark.parametrize("vector", of_kind("apr-eu"), ids=lambda vector: vector["id"])
def test_apr_of_the_european_union(vector: Vector) -> None:
    inputs = vector["inputs"]
    signed = day(inputs.get("signed", "2012-01-01"))
    first = day(inputs["first_payment"]) if "first_payment" in inputs else add_months(signed, 1)
    times = [eu_years(signed, add_months(first, index)) for index in range(inputs["n"])]
    received = cents(inputs["credit"]) - cents(inputs["fee_at_start"])
    apr = eu_apr([(Fraction(0), received)], [(time, cents(inputs["payment"])) for time in times])
    assert apr is not None
    assert apr * 100 == Decimal(vector["expected"]["apr_pct"])


@pytest.mark.parametrize("vector", of_kind("xirr"), ids=lambda vector: vector["id"])
def test_xirr(vector: Vector) -> None:
    rate = xirr([(day(on), Decimal(amount)) for on, amount in vector["inputs"]["flows"]])
    assert rate is not None
    assert round(rate, 11) == Decimal(vector["expected"]["xirr"])


@pytest.mark.parametrize("vector", of_kind("irr"), ids=lambda vector: vector["id"])
def test_irr(vector: Vector) -> None:
    rate = irr(vector["inputs"]["flows"])
    assert rate is not None
    assert abs(rate - Decimal(vector["expected"]["irr"])) < Decimal("1e-4")


@pytest.mark.parametrize("vector", of_kind("annuity"), ids=lambda vector: vector["id"])
def test_annuity(vector: Vector) -> None:
    inputs, expected = vector["inputs"], vector["expected"]
    principal, annual_rate = int(inputs["principal"]), Decimal(inputs["annual_rate_pct"]) / 100
    with exact():
        payment = annuity(principal, [annual_rate / 12] * inputs["n"])
        if "pmt" in expected:
            assert abs(payment - Decimal(expected["pmt"])) < Decimal("1e-22")  # the source computed with 28 digits
            return
        balance, interests = Decimal(principal), []
        for _ in inputs["periods"]:
            interests.append(balance * interest_on(1, annual_rate, Fraction(1, 12)))
            balance -= payment - interests[-1]
    assert [round(interest, 8) for interest in interests] == [Decimal(interest) for interest in expected["ipmt"]]


@pytest.mark.parametrize("vector", of_kind("pro-rata"), ids=lambda vector: vector["id"])
def test_splits(vector: Vector) -> None:
    cases, allocations = vector["inputs"]["cases"], vector["expected"]["allocations"]
    for (total, weights), parts in zip(cases, allocations, strict=True):
        assert split_by_largest_remainder(total, [Decimal(str(weight)) for weight in weights]) == parts
