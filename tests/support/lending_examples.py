"""The published numeric examples of tests/data/lending-examples.json, in the types of the lending domain."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from services.lending.domain.day_count import DayCount
from services.lending.domain.due_dates import Frequency, FrequencyUnit
from services.lending.domain.loan_state import Payment, Surplus
from services.lending.domain.terms import LoanTerms, Method

Vector = dict[str, Any]

_FILE = Path(__file__).parents[1] / "data" / "lending-examples.json"
VECTORS: list[Vector] = json.loads(_FILE.read_text(encoding="utf-8"))["vectors"]

_DAY_COUNTS = {
    (360, 30): DayCount.THIRTY_360,
    (360, "ACTUAL"): DayCount.ACT_360,
    (364, "ACTUAL"): DayCount.ACT_364,
    (365, "ACTUAL"): DayCount.ACT_365,
    ("ACTUAL", "ACTUAL"): DayCount.ACT_ACT,
}


def of_kind(kind: str) -> list[Vector]:
    """The vectors of one kind."""
    return [vector for vector in VECTORS if vector["kind"] == kind]


def cents(amount: str) -> int:
    """An amount with two decimals in minor units."""
    return int(Decimal(amount).scaleb(2).to_integral_exact())


def day(text: str) -> date:
    return date.fromisoformat(text)


def terms_of(inputs: dict[str, Any]) -> LoanTerms:
    """The terms that the inputs of a schedule or payoff vector describe."""
    frequency = inputs.get("frequency", {"unit": "months", "every": 1})
    day_count = inputs.get("day_count", {"days_in_year": 360, "days_in_month": 30})
    method = inputs.get("method", "")
    return LoanTerms(
        principal_minor=cents(inputs["principal"]),
        annual_rate=Decimal(inputs["annual_rate_pct"]) / 100,
        term=inputs["n"],
        frequency=Frequency(FrequencyUnit(frequency["unit"].lower()), frequency["every"]),
        method=Method.EQUAL_PRINCIPAL if "equal principal" in method else Method.FLAT if method == "flat" else Method.ANNUITY,
        day_count=_DAY_COUNTS[day_count["days_in_year"], day_count["days_in_month"]],
        principal_grace=inputs.get("grace_on_principal", 0),
        interest_grace=inputs.get("grace_on_interest", 0),
        installment_multiple=cents(inputs.get("instalment_multiple_of", "0.01")),
    )


def payments_of(inputs: dict[str, Any], surplus: Surplus = Surplus.NEXT_INSTALLMENT) -> list[Payment]:
    """The payments of a vector."""
    return [Payment(day(on), cents(amount), surplus) for on, amount in inputs.get("payments", [])]
