"""What a loan would cost: a calculator that needs no login."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from services.lending.context import Ctx
from services.lending.domain.day_count import DayCount
from services.lending.domain.due_dates import Frequency, FrequencyUnit
from services.lending.domain.quote import Quote, quote
from services.lending.domain.terms import LoanTerms, Method
from shared.http.schemas import AmountMinor, Body, CurrencyCode, RateString, View
from shared.money import MAX_AMOUNT_MINOR

router = APIRouter(prefix="/v1/loans", tags=["Loans"])

CalendarDate = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2200, 12, 31), examples=["2026-01-31"])]


class FrequencyBody(Body):
    """How often installments fall due: every so many months, weeks or days."""

    unit: Literal["months", "weeks", "days"] = "months"
    every: Annotated[int, Field(strict=True, ge=1, le=366)] = 1


class QuoteRequest(Body):
    """The loan to calculate."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"amount": 12_000_000, "currency": "KES", "annual_rate": "0.1850", "term": 6}}
    )

    amount: AmountMinor
    currency: CurrencyCode
    annual_rate: RateString
    term: Annotated[int, Field(strict=True, ge=1, le=1200, description="Number of installments", examples=[12])]
    frequency: FrequencyBody = FrequencyBody()
    method: Method = Field(Method.ANNUITY, description="How the principal is paid back")
    day_count: DayCount = Field(DayCount.THIRTY_360, description="How the days of a period are counted for interest")
    disbursed_on: CalendarDate | None = Field(None, description="Day of the payout; today when left out")
    first_due_on: CalendarDate | None = Field(None, description="First due day; one period after the payout when left out")
    principal_grace: Annotated[int, Field(strict=True, ge=0, description="Installments without principal at the start")] = 0
    interest_grace: Annotated[int, Field(strict=True, ge=0, description="Installments without interest at the start")] = 0
    installment_multiple: Annotated[
        int, Field(strict=True, ge=1, le=MAX_AMOUNT_MINOR, description="Installments are multiples of so many minor units")
    ] = 1
    upfront_fee: Annotated[
        int, Field(strict=True, ge=0, le=MAX_AMOUNT_MINOR, description="Kept back from the payout, in minor units")
    ] = 0

    def terms(self) -> LoanTerms:
        """The same, as the domain knows it. Raises `InvalidTerms`."""
        return LoanTerms(
            principal_minor=self.amount,
            annual_rate=Decimal(self.annual_rate),
            term=self.term,
            frequency=Frequency(FrequencyUnit(self.frequency.unit), self.frequency.every),
            method=self.method,
            day_count=self.day_count,
            first_due_on=self.first_due_on,
            principal_grace=self.principal_grace,
            interest_grace=self.interest_grace,
            installment_multiple=self.installment_multiple,
        )


class QuotedInstallment(View):
    """One installment. Amounts are minor units; `outstanding` is the principal left after it."""

    number: int
    due_on: date
    principal: int
    interest: int
    total: int
    outstanding: int


class QuoteTotals(View):
    """Sums over the whole loan, in minor units. `received` is the payout after the upfront fee."""

    principal: int
    interest: int
    upfront_fee: int
    received: int
    repaid: int
    cost: int


class QuoteView(View):
    """The schedule, what it sums to, and the effective annual rate with the fee included."""

    currency: str
    disbursed_on: date
    installments: list[QuotedInstallment]
    totals: QuoteTotals
    apr: str | None = Field(
        description="Effective annual percentage rate as a fraction with 6 decimals: 0.196147 is 19.6147 %",
        examples=["0.196147"],
    )

    @classmethod
    def of(cls, quoted: Quote, currency: str, disbursed_on: date) -> Self:
        """The view of a quote."""
        return cls(
            currency=currency,
            disbursed_on=disbursed_on,
            installments=[
                QuotedInstallment(
                    number=installment.number,
                    due_on=installment.due_on,
                    principal=installment.principal_minor,
                    interest=installment.interest_minor,
                    total=installment.total_minor,
                    outstanding=installment.outstanding_minor,
                )
                for installment in quoted.installments
            ],
            totals=QuoteTotals(
                principal=quoted.principal_minor,
                interest=quoted.interest_minor,
                upfront_fee=quoted.upfront_fee_minor,
                received=quoted.received_minor,
                repaid=quoted.repaid_minor,
                cost=quoted.total_cost_minor,
            ),
            apr=None if quoted.apr is None else f"{quoted.apr:f}",
        )


@router.post("/quote")
async def quote_loan(context: Ctx, body: QuoteRequest) -> QuoteView:
    """Calculate a loan: its schedule, its total cost and its effective annual rate. Needs no login and promises nothing."""
    disbursed_on = body.disbursed_on or context.clock.now().date()
    return QuoteView.of(quote(body.terms(), disbursed_on, body.upfront_fee), body.currency, disbursed_on)
