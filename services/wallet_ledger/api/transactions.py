"""Transactions, as the people whose wallets they touch see them."""

from datetime import date
from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from services.wallet_ledger.context import Ctx
from services.wallet_ledger.queries.transactions import own_transaction
from shared.http.auth import CurrentUser
from shared.http.schemas import Instant, View

router = APIRouter(prefix="/v1/transactions", tags=["transactions"])


class OwnPostingView(View):
    """What one of your wallets gave or got in a transaction. Minor units."""

    id: UUID
    wallet_id: UUID
    direction: Literal["credit", "debit"]
    amount: int = Field(description="What moved; 0 when money was only held or released")
    held: int = Field(description="Above zero: was held; below zero: was released from a hold")
    currency: str
    balance_after: int
    kind: str
    description: str | None


class OwnTransactionView(View):
    """A transaction that touches your wallets."""

    id: UUID
    status: str = Field(
        description="posted or rejected",
        json_schema_extra={"enum": ["posted", "rejected"]},
    )
    kind: str
    reference: str | None
    description: str | None
    rejection_code: str | None
    booked_at: Instant
    effective_on: date
    reverses_id: UUID | None
    reversed_by_id: UUID | None
    postings: list[OwnPostingView]


@router.get("/{transaction_id}")
async def get_transaction(context: Ctx, user: CurrentUser, transaction_id: UUID) -> OwnTransactionView:
    """A transaction that touches your wallets, with those of its postings that do."""
    transaction, postings = await own_transaction(context, user.user_id, transaction_id)
    return OwnTransactionView(
        id=transaction.id,
        status=transaction.status,
        kind=transaction.kind,
        reference=transaction.reference,
        description=transaction.description,
        rejection_code=transaction.rejection_code,
        booked_at=transaction.booked_at,
        effective_on=transaction.effective_on,
        reverses_id=transaction.reverses_id,
        reversed_by_id=transaction.reversed_by_id,
        postings=[
            OwnPostingView(
                id=posting.id,
                wallet_id=posting.wallet_id,
                direction=posting.direction,
                amount=posting.amount_minor,
                held=posting.held_minor,
                currency=posting.currency,
                balance_after=posting.balance_after_minor,
                kind=posting.kind,
                description=posting.description,
            )
            for posting in postings
        ],
    )
