"""Investments: lending to a loan that is being funded, and what came of it."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from services.lending.commands.apply_for_loan import find_own_wallet
from services.lending.commands.invest_in_loan import Offer, invest_in_loan
from services.lending.context import Ctx
from services.lending.domain.investment import Investment, InvestmentStatus
from services.lending.queries import investments as queries
from services.lending.queries import loans as loan_queries
from services.lending.store.unit_of_work import UnitOfWork
from shared.http.auth import CurrentUser, VerifiedUser
from shared.http.idempotency import Idempotent, respond
from shared.http.paging import Page, Paging
from shared.http.prefer import WaitSeconds, settle
from shared.http.schemas import AmountMinor, Body, Instant, View
from shared.idempotency import Answer, once

router = APIRouter(prefix="/v1", tags=["Investments"])


class InvestmentRequest(Body):
    """How much to lend, from which wallet."""

    amount: AmountMinor
    wallet_id: UUID = Field(description="One of your wallets, in the loan's currency")
    allow_less: Annotated[bool, Field(strict=True, description="Take what the loan still needs if that is less")] = False


class InvestmentView(View):
    """Your part of a loan, in minor units. `interest_received` is before the service fee."""

    id: UUID
    loan_id: UUID
    wallet_id: UUID
    status: InvestmentStatus
    amount: int
    currency: str
    outstanding_principal: int
    principal_received: int
    interest_received: int
    service_fees: int
    failure_code: str | None = Field(description="Why it was rejected, such as insufficient_funds")
    created_at: Instant | None = None

    @classmethod
    def of(cls, investment: Investment, created_at: Instant | None = None) -> Self:
        """The view of an investment."""
        return cls(
            id=investment.id,
            loan_id=investment.loan_id,
            wallet_id=investment.wallet_id,
            status=investment.status,
            amount=investment.amount_minor,
            currency=investment.currency,
            outstanding_principal=investment.outstanding_minor,
            principal_received=investment.principal_minor,
            interest_received=investment.interest_minor,
            service_fees=investment.service_fees_minor,
            failure_code=investment.rejection_code,
            created_at=created_at,
        )


@router.post("/loans/{loan_id}/investments", status_code=202, response_model=InvestmentView)
async def invest_in_a_loan(
    context: Ctx,
    principal: VerifiedUser,
    loan_id: UUID,
    body: InvestmentRequest,
    request: Idempotent,
    wait: WaitSeconds,
    response: Response,
) -> JSONResponse:
    """Lend to a loan. The money is held in your wallet (`pending`, then `held` or `rejected`) until the loan is fully funded,
    and then paid out to the borrower (`active`); if it is not funded in time you have it back (`released`).

    Refused with `funding_closed` once the loan takes no more money, with `funding_goal_exceeded` when it needs less than you
    offer (unless you `allow_less`), and with `own_loan` when it is yours. Too little money in your wallet shows a moment
    later: `rejected`, with `failure_code` `insufficient_funds`."""
    loan = await loan_queries.find_listed(context, loan_id)
    wallet = await find_own_wallet(context, principal, body.wallet_id, loan.currency)

    async def invest(work: UnitOfWork) -> Answer:
        offer = Offer(body.amount, body.allow_less)
        investment = await invest_in_loan(work, principal, loan_id, wallet, offer)
        return Answer(202, InvestmentView.of(investment, work.now).model_dump(mode="json"))

    answer = await once(context.unit_of_work, request, invest)
    if answer.status != 202 or not wait:
        return respond(answer)
    investment_id = UUID(answer.body["id"])

    async def read() -> InvestmentView:
        return InvestmentView.of(*await queries.get_investment(context, principal, investment_id))

    view = await settle(wait, response, read, lambda seen: seen.status is not InvestmentStatus.PENDING)
    return respond(answer.settled(view.model_dump(mode="json"), response.headers))


@router.get("/investments")
async def list_investments(
    context: Ctx,
    principal: CurrentUser,
    paging: Paging,
    status: InvestmentStatus | None = None,
    loan_id: UUID | None = None,
) -> Page[InvestmentView]:
    """Your investments, newest first."""
    found = await queries.list_investments(context, principal, paging, status=status, loan_id=loan_id)
    return paging.page(found, id_of=lambda pair: pair[0].id, view=lambda pair: InvestmentView.of(*pair))


@router.get("/investments/{investment_id}")
async def get_investment(context: Ctx, principal: CurrentUser, investment_id: UUID) -> InvestmentView:
    """One of your investments."""
    return InvestmentView.of(*await queries.get_investment(context, principal, investment_id))
