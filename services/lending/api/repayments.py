"""Paying on a loan, and paying it off."""

import datetime
from typing import Self
from uuid import UUID

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from services.lending.api.quotes import CalendarDate
from services.lending.commands.apply_for_loan import find_own_wallet
from services.lending.commands.repay_loan import repay_loan
from services.lending.context import Ctx
from services.lending.domain.payoff import Payoff
from services.lending.domain.repayment import Repayment, RepaymentKind, RepaymentStatus
from services.lending.queries import loans as loan_queries
from services.lending.queries import repayments as queries
from services.lending.store.unit_of_work import UnitOfWork
from shared.http.auth import CurrentUser, VerifiedUser
from shared.http.idempotency import Idempotent, respond
from shared.http.paging import Page, Paging
from shared.http.prefer import WaitSeconds, settle
from shared.http.schemas import AmountMinor, Body, Instant, View
from shared.idempotency import Answer, IdempotentRequest, once
from shared.identity.principal import Principal

router = APIRouter(prefix="/v1/loans/{loan_id}", tags=["Repayments"])

_OPEN = {RepaymentStatus.PENDING, RepaymentStatus.POSTING}


class RepaymentRequest(Body):
    """How much to pay, from which wallet."""

    amount: AmountMinor
    wallet_id: UUID = Field(description="One of your wallets, in the loan's currency")


class PayoffRequest(Body):
    """From which wallet to pay everything that is owed; the wallet that the loan was paid to when left out."""

    wallet_id: UUID | None = None


class RepaymentView(View):
    """A payment on a loan, in minor units, and what it settled."""

    id: UUID
    loan_id: UUID
    wallet_id: UUID
    kind: RepaymentKind
    status: str = Field(
        description="pending, completed or rejected",
        json_schema_extra={"enum": ["pending", "completed", "rejected"]},
    )
    amount: int
    currency: str
    principal: int
    interest: int
    fees: int
    paid_on: datetime.date | None
    failure_code: str | None = Field(description="Why it was rejected, such as insufficient_funds")
    failure_detail: str | None
    created_at: Instant | None = None

    @classmethod
    def of(cls, repayment: Repayment, created_at: Instant | None = None) -> Self:
        """The view of a repayment. Whether the ledger has been asked already is nobody's concern: it is pending."""
        pending = repayment.status in _OPEN
        return cls(
            id=repayment.id,
            loan_id=repayment.loan_id,
            wallet_id=repayment.wallet_id,
            kind=repayment.kind,
            status="pending" if pending else repayment.status,
            amount=repayment.amount_minor,
            currency=repayment.currency,
            principal=repayment.principal_minor,
            interest=repayment.interest_minor,
            fees=repayment.fees_minor,
            paid_on=repayment.paid_on,
            failure_code=repayment.rejection_code,
            failure_detail=repayment.rejection_detail,
            created_at=created_at,
        )


class PayoffView(View):
    """What settles the loan, in minor units, and until when."""

    loan_id: UUID
    date: datetime.date
    good_through: datetime.date = Field(description="Last day on which the amount holds")
    amount: int
    currency: str
    principal: int
    interest: int
    fees: int
    overdue: int = Field(description="The part that fell due before that day")

    @classmethod
    def of(cls, payoff: Payoff, loan_id: UUID, currency: str) -> Self:
        """The view of a payoff."""
        return cls(
            loan_id=loan_id,
            date=payoff.good_through,
            good_through=payoff.good_through,
            amount=payoff.total_minor,
            currency=currency,
            principal=payoff.parts.principal_minor,
            interest=payoff.parts.interest_minor,
            fees=payoff.parts.fee_minor + payoff.parts.penalty_minor,
            overdue=payoff.overdue_minor,
        )


async def _pay(
    context: Ctx,
    principal: Principal,
    loan_id: UUID,
    wallet_id: UUID,
    currency: str,
    amount: int | None,
    request: IdempotentRequest,
    wait: int,
    response: Response,
) -> JSONResponse:
    wallet = await find_own_wallet(context, principal, wallet_id, currency)

    async def pay(work: UnitOfWork) -> Answer:
        repayment = await repay_loan(work, principal, loan_id, wallet, amount)
        return Answer(202, RepaymentView.of(repayment, work.now).model_dump(mode="json"))

    answer = await once(context.unit_of_work, request, pay)
    if answer.status != 202 or not wait:
        return respond(answer)
    repayment_id = UUID(answer.body["id"])

    async def read() -> RepaymentView:
        return RepaymentView.of(*await queries.get_repayment(context, principal, loan_id, repayment_id))

    view = await settle(wait, response, read, lambda seen: seen.status != "pending")
    return respond(answer.settled(view.model_dump(mode="json"), response.headers))


@router.post("/repayments", status_code=202, response_model=RepaymentView)
async def repay_a_loan(
    context: Ctx,
    principal: VerifiedUser,
    loan_id: UUID,
    body: RepaymentRequest,
    request: Idempotent,
    wait: WaitSeconds,
    response: Response,
) -> JSONResponse:
    """Pay on your loan: `pending`, then `completed` or `rejected`. The oldest installment is paid first, and in it late fees,
    fees, interest, principal. What is beyond what is due does what you chose when you applied.

    Paying ahead saves interest: who pays as much as the schedule shows pays only what is owed, and `amount` says how much.
    A payment made while another one is under way waits for its turn. More than the whole schedule is `repayment_too_large`."""
    loan = await loan_queries.get_own_loan(context, principal, loan_id)
    return await _pay(context, principal, loan_id, body.wallet_id, loan.currency, body.amount, request, wait, response)


@router.get("/repayments")
async def list_repayments(context: Ctx, principal: CurrentUser, loan_id: UUID, paging: Paging) -> Page[RepaymentView]:
    """Your payments on a loan, newest first."""
    found = await queries.list_repayments(context, principal, loan_id, paging)
    return paging.page(found, id_of=lambda pair: pair[0].id, view=lambda pair: RepaymentView.of(*pair))


@router.get("/repayments/{repayment_id}")
async def get_repayment(context: Ctx, principal: CurrentUser, loan_id: UUID, repayment_id: UUID) -> RepaymentView:
    """One of your payments."""
    return RepaymentView.of(*await queries.get_repayment(context, principal, loan_id, repayment_id))


@router.get("/payoff")
async def quote_payoff(context: Ctx, principal: CurrentUser, loan_id: UUID, date: CalendarDate | None = None) -> PayoffView:
    """What settles your loan on a day (today when left out): what is overdue, the principal, interest to the day, fees."""
    loan = await loan_queries.get_own_loan(context, principal, loan_id)
    return PayoffView.of(await loan_queries.get_payoff(context, principal, loan_id, date), loan_id, loan.currency)


@router.post("/payoff", status_code=202, response_model=RepaymentView)
async def pay_off_a_loan(
    context: Ctx,
    principal: VerifiedUser,
    loan_id: UUID,
    request: Idempotent,
    wait: WaitSeconds,
    response: Response,
    body: PayoffRequest | None = None,
) -> JSONResponse:
    """Pay everything that is owed today, as GET …/payoff quotes it. The loan is then `repaid`."""
    loan = await loan_queries.get_own_loan(context, principal, loan_id)
    wallet_id = (body.wallet_id if body else None) or loan.wallet_id
    return await _pay(context, principal, loan_id, wallet_id, loan.currency, None, request, wait, response)
