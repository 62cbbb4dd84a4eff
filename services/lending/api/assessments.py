"""Credit assessments: the score, its grade, and where the points come from."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from services.lending.commands import assess_credit as command
from services.lending.context import Ctx
from services.lending.domain.assessment import Assessment, Financials
from services.lending.domain.pricing import Grade, rate_text
from services.lending.domain.problems import AssessmentNotFound
from shared.http.auth import CurrentUser, VerifiedUser
from shared.http.schemas import Body, CurrencyCode, Instant, View
from shared.money import MAX_AMOUNT_MINOR

router = APIRouter(prefix="/v1/credit-assessments", tags=["Credit"])

Sum = Annotated[int, Field(strict=True, ge=0, le=MAX_AMOUNT_MINOR)]


class FinancialsBody(Body):
    """What you say of your money, in minor units of the loan's currency."""

    employment_status: Annotated[
        str,
        Field(
            min_length=1,
            max_length=50,
            description="employed, self_employed, contract, retired, unemployed, …",
            examples=["employed"],
        ),
    ]
    annual_income: Sum = Field(description="Of a whole year", examples=[96000000])
    monthly_obligations: Sum = Field(
        description="Rent, other loans, maintenance: what must be paid every month", examples=[1500000]
    )

    def financials(self, currency: str) -> Financials:
        """The same, as the domain knows it."""
        return Financials(self.employment_status, self.annual_income, self.monthly_obligations, currency)


class AssessmentRequest(Body):
    """What to assess."""

    financials: FinancialsBody
    currency: CurrencyCode | None = Field(None, description="Of the amounts; the home currency when left out")


class FactorView(View):
    """What one factor contributed."""

    factor: str
    points: int
    best_points: int
    reason: str


class ImprovementView(View):
    """What would gain points, and the grade that it reaches by itself."""

    factor: str
    advice: str
    points: int
    next_grade: Grade | None


class AssessmentView(View):
    """A credit assessment. 600 points are odds of 50 to 1 of being repaid; 20 more double them."""

    id: UUID
    model_version: str
    score: int
    risk_grade: Grade
    default_probability: str
    annual_rate: str = Field(description="What loans of this grade cost, as an annual nominal rate")
    currency: str
    factors: list[FactorView]
    reasons: list[FactorView] = Field(description="The four factors at most that cost the most points")
    improvements: list[ImprovementView]
    created_at: Instant
    expires_at: Instant

    @classmethod
    def of(cls, assessment: Assessment) -> Self:
        """The view of an assessment."""
        return cls(
            id=assessment.id,
            model_version=assessment.score.model_version,
            score=assessment.score.points,
            risk_grade=assessment.grade,
            default_probability=f"{assessment.score.default_probability:f}",
            annual_rate=rate_text(assessment.annual_rate),
            currency=assessment.currency,
            factors=[FactorView.model_validate(factor) for factor in assessment.score.factors],
            reasons=[FactorView.model_validate(factor) for factor in assessment.score.reasons],
            improvements=[ImprovementView.model_validate(step) for step in assessment.improvements],
            created_at=assessment.created_at,
            expires_at=assessment.expires_at,
        )


@router.post("", status_code=201)
async def assess_credit(context: Ctx, principal: VerifiedUser, body: AssessmentRequest) -> AssessmentView:
    """Have your credit assessed. The result holds for 90 days and is used when you apply for a loan."""
    financials = body.financials.financials(body.currency or context.settings.home_currency)
    return AssessmentView.of(await command.assess_credit(context, principal, financials))


@router.get("/current")
async def get_current_assessment(context: Ctx, principal: CurrentUser) -> AssessmentView:
    """Your newest assessment that has not expired."""
    async with context.read() as reading:
        found = await reading.assessments.current(principal.user_id, context.clock.now())
    if found is None:
        raise AssessmentNotFound("Ask for one with POST /v1/credit-assessments.")
    return AssessmentView.of(found)
