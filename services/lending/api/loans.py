"""Loans: applying, looking, taking back."""

from datetime import date
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import ConfigDict, Field

from services.lending.api.assessments import FinancialsBody
from services.lending.commands import close_funding
from services.lending.commands.apply_for_loan import Application, apply_for_loan, find_own_wallet, require_kyc
from services.lending.context import Ctx
from services.lending.domain.day_count import DayCount
from services.lending.domain.loan import Loan, LoanStatus
from services.lending.domain.loan_state import InstallmentState, Surplus
from services.lending.domain.pricing import Grade, rate_text
from services.lending.domain.terms import Method
from services.lending.queries import loans as queries
from services.lending.store.unit_of_work import UnitOfWork
from shared.http.auth import CurrentUser, VerifiedUser
from shared.http.idempotency import MaybeIdempotent, respond
from shared.http.paging import Page, Paging
from shared.http.schemas import AmountMinor, Body, CurrencyCode, Instant, ShortText, View
from shared.idempotency import Answer, once
from shared.identity.principal import Principal

router = APIRouter(prefix="/v1/loans", tags=["Loans"])


class LoanApplication(Body):
    """What to apply for. `financials` may be left out while a credit assessment in this currency is current."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "amount": 12_000_000,
                "currency": "KES",
                "term_months": 6,
                "purpose": "A second oven",
                "wallet_id": "01980a2e-7c3b-7b1e-9c55-2f6d0e1b4a77",
                "financials": {"employment_status": "employed", "annual_income": 96_000_000, "monthly_obligations": 1_500_000},
            }
        }
    )

    amount: AmountMinor
    currency: CurrencyCode
    term_months: Annotated[int, Field(strict=True, ge=1, le=600, examples=[12])]
    purpose: Annotated[ShortText, Field(description="Lenders see it: put nothing personal in it", examples=["A second oven"])]
    wallet_id: UUID = Field(description="Your wallet in the loan's currency: the money comes there and is repaid from there")
    financials: FinancialsBody | None = None
    method: Method | None = None
    day_count: DayCount | None = None
    surplus: Surplus = Field(
        Surplus.NEXT_INSTALLMENT,
        description="What money beyond what is due does: pay ahead, shorten the loan, or lower installments",
    )

    def application(self) -> Application:
        """The same, as the command takes it."""
        return Application(
            amount_minor=self.amount,
            currency=self.currency,
            term_months=self.term_months,
            purpose=self.purpose,
            wallet_id=self.wallet_id,
            method=self.method,
            day_count=self.day_count,
            surplus=self.surplus,
            financials=self.financials.financials(self.currency) if self.financials else None,
        )


class LoanView(View):
    """A loan. Amounts are minor units of `currency`.

    Its borrower and operators see everything; to others it is a listing, without the fields that are null here.
    """

    id: UUID
    status: LoanStatus
    amount: int
    currency: str
    funded_amount: int = Field(description="Held by lenders so far")
    remaining_amount: int = Field(description="Not yet pledged by anybody")
    term_months: int
    annual_rate: str = Field(description="Annual nominal rate as a decimal string", examples=["0.1850"])
    risk_grade: Grade
    purpose: str
    method: Method
    day_count: DayCount
    submitted_at: Instant
    funding_ends_at: Instant | None
    disbursed_on: date | None
    next_due_on: date | None
    outstanding_principal: int
    delinquency_bucket: int = Field(description="0 when nothing is overdue, else 1, 31 or 61: days past due that were reached")
    borrower_id: UUID | None = None
    wallet_id: UUID | None = None
    surplus: Surplus | None = None
    closed_at: Instant | None = None
    reason: str | None = Field(None, description="Why the loan was declined, cancelled or failed")

    @classmethod
    def of(cls, loan: Loan, principal: Principal) -> Self:
        """The view of `loan` that `principal` may have."""
        view = cls(
            id=loan.id,
            status=loan.status,
            amount=loan.amount_minor,
            currency=loan.currency,
            funded_amount=loan.funded_minor,
            remaining_amount=loan.remaining_minor,
            term_months=loan.term_months,
            annual_rate=rate_text(loan.annual_rate),
            risk_grade=loan.risk_grade,
            purpose=loan.purpose,
            method=loan.method,
            day_count=loan.day_count,
            submitted_at=loan.submitted_at,
            funding_ends_at=loan.funding_ends_at,
            disbursed_on=loan.disbursed_on,
            next_due_on=loan.next_due_on,
            outstanding_principal=loan.outstanding_minor,
            delinquency_bucket=loan.bucket,
        )
        if principal.user_id != loan.borrower_id and not queries.may_see_all(principal):
            return view
        personal = {"borrower_id": loan.borrower_id, "wallet_id": loan.wallet_id, "surplus": loan.surplus}
        return view.model_copy(update=personal | {"closed_at": loan.closed_at, "reason": loan.reason})


class InstallmentView(View):
    """One installment, in minor units. Those to come show what they will be when everything is paid on its due date."""

    number: int
    due_on: date
    principal: int
    interest: int
    fees: int = Field(description="Fees and late fees")
    total: int
    paid: int
    outstanding: int = Field(description="Principal that the schedule leaves after it")
    status: str = Field(
        description="paid, overdue, due, partial or upcoming",
        json_schema_extra={"enum": ["paid", "overdue", "due", "partial", "upcoming"]},
    )
    paid_on: date | None

    @classmethod
    def of(cls, installment: InstallmentState) -> Self:
        """The view of an installment."""
        return cls(
            number=installment.number,
            due_on=installment.due_on,
            principal=installment.principal_minor,
            interest=installment.interest_minor,
            fees=installment.fees_minor + installment.penalty_minor,
            total=installment.total_minor,
            paid=installment.paid_minor,
            outstanding=installment.outstanding_minor,
            status=installment.status,
            paid_on=installment.paid_on,
        )


class ScheduleView(View):
    """The installments, the first one first."""

    installments: list[InstallmentView]


class LoanEventView(View):
    """Something that happened to a loan; amounts in `data` are minor units."""

    id: UUID
    type: str
    business_date: date
    data: dict[str, Any]
    occurred_at: Instant


@router.post("", status_code=201, response_model=LoanView)
async def apply_for_a_loan(
    context: Ctx, principal: VerifiedUser, body: LoanApplication, request: MaybeIdempotent
) -> JSONResponse:
    """Apply for a loan. The answer has its risk grade and its rate; an administrator then opens it to lenders or declines it.

    Needs an approved identity check (`kyc_required`) and either `financials` or a current credit assessment.
    """
    await require_kyc(context, principal)
    await find_own_wallet(context, principal, body.wallet_id, body.currency)

    async def apply(work: UnitOfWork) -> Answer:
        loan = await apply_for_loan(context, principal, body.application(), work)
        return Answer(201, LoanView.of(loan, principal).model_dump(mode="json"))

    if request is not None:
        return respond(await once(context.unit_of_work, request, apply))
    async with context.unit_of_work() as work:
        answer = await apply(work)
    return respond(answer)


@router.get("")
async def list_loans(
    context: Ctx,
    principal: CurrentUser,
    paging: Paging,
    status: LoanStatus | None = None,
    risk_grade: Grade | None = None,
    currency: Annotated[str | None, Query(pattern="^[A-Z]{3}$")] = None,
    mine: Annotated[bool, Query(description="Only loans that you borrow")] = False,
) -> Page[LoanView]:
    """Loans that you may see, newest first: your own, those open to lenders, and those you lent to. Operators see all."""
    wanted = queries.LoanFilter(status, risk_grade, currency, mine)
    found = await queries.list_loans(context, principal, wanted, paging)
    return paging.page(found, id_of=lambda loan: loan.id, view=lambda loan: LoanView.of(loan, principal))


@router.get("/{loan_id}")
async def get_loan(context: Ctx, principal: CurrentUser, loan_id: UUID) -> LoanView:
    """One loan."""
    return LoanView.of(await queries.get_loan(context, principal, loan_id), principal)


@router.get("/{loan_id}/schedule")
async def get_loan_schedule(context: Ctx, principal: CurrentUser, loan_id: UUID) -> ScheduleView:
    """What is due when, and what was paid, as of today. Before the payout: the schedule if that were today."""
    installments = await queries.get_schedule(context, principal, loan_id)
    return ScheduleView(installments=[InstallmentView.of(installment) for installment in installments])


@router.get("/{loan_id}/events")
async def list_loan_events(context: Ctx, principal: CurrentUser, loan_id: UUID, paging: Paging) -> Page[LoanEventView]:
    """What happened to your loan, newest first."""
    found = await queries.list_loan_events(context, principal, loan_id, paging)
    return paging.page(found, id_of=lambda event: event.id, view=LoanEventView.model_validate)


@router.post("/{loan_id}/cancel")
async def cancel_loan(context: Ctx, principal: CurrentUser, loan_id: UUID) -> LoanView:
    """Take your application back, until it is fully funded. Lenders get back what was held."""
    return LoanView.of(await close_funding.cancel_loan(context, principal, loan_id), principal)
