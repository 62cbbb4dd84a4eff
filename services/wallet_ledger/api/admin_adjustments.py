"""Corrections of the ledger that two people agree on."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field, StringConstraints

from services.wallet_ledger.api.admin_accounts import ReasonBody
from services.wallet_ledger.commands import decide_adjustment as deciding
from services.wallet_ledger.commands import request_adjustment as requesting
from services.wallet_ledger.context import Ctx
from services.wallet_ledger.domain.adjustment import MAX_ENTRIES, Adjustment, AdjustmentEntry
from services.wallet_ledger.queries.adjustments import adjustment_by_id, list_adjustments
from shared.http.auth import Admin, Support
from shared.http.idempotency import Idempotent, respond
from shared.http.paging import Page, Paging
from shared.http.schemas import AmountMinor, Body, CurrencyCode, Instant, ShortText, View

router = APIRouter(prefix="/v1/admin/ledger/adjustments", tags=["ledger"])

Address = Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=r"^[A-Za-z0-9_:-]+$")]
Status = Literal["awaiting_approval", "approved", "declined", "expired"]


class AdjustmentEntryBody(Body):
    """Money from one account to another."""

    debit_account: Address = Field(description="Whose money becomes less", examples=["suspense:KES"])
    credit_account: Address = Field(description="Whose money becomes more", examples=["fees:KES"])
    amount: AmountMinor
    currency: CurrencyCode
    description: ShortText | None = None


class AdjustmentBody(Body):
    """What is to be corrected, and why. No personal data in the texts: they are kept for ever, and wallets' owners read them."""

    entries: list[AdjustmentEntryBody] = Field(min_length=1, max_length=MAX_ENTRIES)
    reason: ShortText = Field(examples=["A payment of 3 March that belongs to nobody"])
    reference: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        None, description="What it belongs to, such as deposit:…"
    )
    effective_on: date | None = Field(None, description="The day it counts for; today when it is left out")


class AdjustmentEntryView(View):
    """Money from one account to another; minor units."""

    debit_account: str
    credit_account: str
    amount: int
    currency: str
    description: str | None


class AdjustmentView(View):
    """An adjustment."""

    id: UUID
    kind: str = Field(
        description="transfers, or the reversal of a transaction", json_schema_extra={"enum": ["transfers", "reversal"]}
    )
    status: str = Field(
        description="awaiting_approval, then approved, declined, or expired when nobody decided in time",
        json_schema_extra={"enum": ["awaiting_approval", "approved", "declined", "expired"]},
    )
    outcome: str | None = Field(
        description="What the ledger made of an approved one: posted or rejected; null until it has said",
        json_schema_extra={"enum": ["posted", "rejected", None]},
    )
    entries: list[AdjustmentEntryView] = Field(description="Empty for a reversal: its entries are those of `reverses_id`")
    reverses_id: UUID | None
    reference: str | None
    effective_on: date | None
    reason: str
    requested_by: UUID
    requested_at: Instant
    expires_at: Instant
    decided_by: UUID | None
    decided_at: Instant | None
    decision_reason: str | None
    transaction_id: UUID | None = Field(description="The transaction of the ledger, once there is one")
    rejection_code: str | None
    rejection_detail: str | None


def adjustment_view(adjustment: Adjustment) -> AdjustmentView:
    """What operators see."""
    return AdjustmentView(
        id=adjustment.id,
        kind=adjustment.kind,
        status=adjustment.status.value,
        outcome=adjustment.outcome,
        entries=[
            AdjustmentEntryView(
                debit_account=entry.debit_account,
                credit_account=entry.credit_account,
                amount=entry.amount_minor,
                currency=entry.currency,
                description=entry.description,
            )
            for entry in adjustment.entries
        ],
        reverses_id=adjustment.reverses_id,
        reference=adjustment.reference,
        effective_on=adjustment.effective_on,
        reason=adjustment.reason,
        requested_by=adjustment.requested_by,
        requested_at=adjustment.requested_at,
        expires_at=adjustment.expires_at,
        decided_by=adjustment.decided_by,
        decided_at=adjustment.decided_at,
        decision_reason=adjustment.decision_reason,
        transaction_id=adjustment.transaction_id if adjustment.outcome is not None else None,
        rejection_code=adjustment.rejection_code,
        rejection_detail=adjustment.rejection_detail,
    )


def adjustment_json(adjustment: Adjustment) -> dict[str, Any]:
    """The same as JSON, for answers that are kept."""
    return adjustment_view(adjustment).model_dump(mode="json")


@router.post("", status_code=201, response_model=AdjustmentView)
async def request_an_adjustment(context: Ctx, user: Admin, request: Idempotent, body: AdjustmentBody) -> JSONResponse:
    """Ask for transfers between any accounts. Nothing moves until another administrator has approved it."""
    order = requesting.AdjustmentOrder(
        operator_id=user.user_id,
        reason=body.reason,
        entries=tuple(
            AdjustmentEntry(one.debit_account, one.credit_account, one.amount, one.currency, one.description)
            for one in body.entries
        ),
        reference=body.reference,
        effective_on=body.effective_on,
    )
    return respond(await requesting.request_adjustment(context, order, request, adjustment_json))


@router.get("")
async def list_ledger_adjustments(context: Ctx, _: Support, paging: Paging, status: Status | None = None) -> Page[AdjustmentView]:
    """Adjustments, newest first."""
    found = await list_adjustments(context, status, paging.after, paging.fetch)
    return paging.page(found, lambda adjustment: adjustment.id, adjustment_view)


@router.get("/{adjustment_id}")
async def get_ledger_adjustment(context: Ctx, _: Support, adjustment_id: UUID) -> AdjustmentView:
    """One adjustment."""
    return adjustment_view(await adjustment_by_id(context, adjustment_id))


@router.post(
    "/{adjustment_id}/approve",
    response_model=AdjustmentView,
    responses={202: {"model": AdjustmentView, "description": "Approved; the ledger cannot be asked now and posts it later"}},
)
async def approve_an_adjustment(context: Ctx, user: Admin, request: Idempotent, adjustment_id: UUID) -> JSONResponse:
    """Agree to what another administrator asked for; the ledger then posts it, once.

    One's own is refused: 403 `second_person_required`. 409 `adjustment_rejected` when the ledger's rules forbid it, such as too
    little money. 202 with `outcome` null while the ledger cannot be asked: it is posted later.
    """
    return respond(await deciding.approve_adjustment(context, adjustment_id, user.user_id, request, adjustment_json))


@router.post("/{adjustment_id}/decline")
async def decline_an_adjustment(context: Ctx, user: Admin, adjustment_id: UUID, body: ReasonBody) -> AdjustmentView:
    """Refuse an adjustment, or take back one's own."""
    return adjustment_view(await deciding.decline_adjustment(context, adjustment_id, body.reason, user.user_id))
