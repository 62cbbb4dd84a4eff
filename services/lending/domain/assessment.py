"""A credit assessment: a score with everything that it was computed from, good for 90 days."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from services.lending.domain.credit_inputs import CreditInputs
from services.lending.domain.pricing import Grade, Improvement, Pricing, annual_rate, grade_for, improvements
from services.lending.domain.schedule import build_schedule
from services.lending.domain.scorecard import Score, assess
from services.lending.domain.terms import LoanTerms

GOOD_FOR: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Financials:
    """What an applicant says of their money, in minor units of `currency`."""

    employment_status: str
    annual_income_minor: int
    monthly_obligations_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Record:
    """How somebody has dealt with loans here so far; see `CreditInputs` for the fields."""

    loans_repaid: int = 0
    worst_days_past_due: int = 0
    defaults: int = 0
    months_since_first_loan: int | None = None
    recent_inquiries: int = 0
    outstanding_here_minor: int = 0


@dataclass(frozen=True, slots=True)
class Assessment:
    """`annual_rate` is what the grade costs, as a fraction a year."""

    id: UUID
    user_id: UUID
    currency: str
    inputs: CreditInputs
    score: Score
    grade: Grade
    annual_rate: Decimal
    created_at: datetime
    expires_at: datetime

    @property
    def improvements(self) -> tuple[Improvement, ...]:
        """What would raise the grade, the largest gain first."""
        return improvements(self.score)


def make_assessment(
    assessment_id: UUID, user_id: UUID, inputs: CreditInputs, currency: str, pricing: Pricing, at: datetime
) -> Assessment:
    """Score `inputs` and price the grade."""
    score = assess(inputs)
    grade = grade_for(score.default_probability)
    return Assessment(
        id=assessment_id,
        user_id=user_id,
        currency=currency,
        inputs=inputs,
        score=score,
        grade=grade,
        annual_rate=annual_rate(grade, pricing),
        created_at=at,
        expires_at=at + GOOD_FOR,
    )


def heaviest_installment(amount_minor: int, term_months: int, pricing: Pricing, on: datetime) -> int:
    """The monthly installment, in minor units, at the dearest grade: what an applicant must be able to bear.

    The rate that a loan will have is not known before its grade is, and the grade depends on the installment.
    """
    terms = LoanTerms(amount_minor, annual_rate(Grade.G, pricing), term_months)
    return max(installment.total_minor for installment in build_schedule(terms, on.date()))
