"""Operators decide applications."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from services.lending.api.loans import LoanView
from services.lending.commands import decide_loan
from services.lending.context import Ctx
from shared.http.auth import Admin
from shared.http.schemas import Body, LongText, RateString

router = APIRouter(prefix="/v1/admin/loans", tags=["Operations"])


class Approval(Body):
    """Both override what the grade and the product say."""

    annual_rate: RateString | None = None
    funding_days: Annotated[int, Field(strict=True, ge=1, le=365)] | None = None


class Refusal(Body):
    """Why not: the borrower reads it."""

    reason: Annotated[LongText, Field(examples=["The income that you gave could not be confirmed."])]


@router.post("/{loan_id}/approve")
async def approve_loan(context: Ctx, principal: Admin, loan_id: UUID, body: Approval | None = None) -> LoanView:
    """Open an application to lenders. They have as long as its product says to fund it."""
    given = body or Approval()
    loan = await decide_loan.approve_loan(
        context,
        principal,
        loan_id,
        annual_rate=Decimal(given.annual_rate) if given.annual_rate is not None else None,
        funding_days=given.funding_days,
    )
    return LoanView.of(loan, principal)


@router.post("/{loan_id}/decline")
async def decline_loan(context: Ctx, principal: Admin, loan_id: UUID, body: Refusal) -> LoanView:
    """Refuse an application."""
    return LoanView.of(await decide_loan.decline_loan(context, principal, loan_id, body.reason), principal)
