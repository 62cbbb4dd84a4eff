"""Withdrawals: money out of a wallet."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from services.payments.api.deposits import FailureView, ProviderName
from services.payments.api.payout_destinations import Destination
from services.payments.commands import cancel_withdrawal as cancelling
from services.payments.commands import request_withdrawal as requesting
from services.payments.commands import retry_withdrawal as retrying
from services.payments.context import Ctx
from services.payments.domain.withdrawal import Withdrawal
from services.payments.queries.withdrawals import any_withdrawal, withdrawal_of, withdrawals_of
from shared.http.auth import Admin, CurrentUser, VerifiedUser, require_step_up
from shared.http.idempotency import Idempotent, respond
from shared.http.paging import Page, Paging
from shared.http.prefer import WaitSeconds, settle
from shared.http.schemas import AmountMinor, Body, CurrencyCode, Instant, View
from shared.problems import FieldError, InvalidRequest

router = APIRouter(prefix="/v1/withdrawals", tags=["withdrawals"])
admin_router = APIRouter(prefix="/v1/admin/withdrawals", tags=["admin"])


class WithdrawalBody(Body):
    """Money to be paid out: to a `destination` of a `provider`, or to a saved one, `destination_id`."""

    wallet_id: UUID = Field(description="One of your wallets; the money comes from there")
    amount: AmountMinor
    currency: CurrencyCode
    provider: ProviderName | None = Field(None, description="Who pays out; needed with `destination`", examples=["sandbox"])
    destination: Destination | None = Field(
        None,
        description="Where to pay to; GET /v1/payment-providers names the fields of each provider. "
        "An installation may pay to saved destinations only: see GET /v1/payout-destinations",
        examples=[{"account": "254700000001"}],
    )
    destination_id: UUID | None = Field(None, description="One of your saved destinations, instead of `destination`")


class WithdrawalView(View):
    """A withdrawal."""

    id: UUID
    wallet_id: UUID
    amount: int = Field(description="Minor units", examples=[12500])
    currency: str = Field(examples=["KES"])
    provider: str = Field(examples=["sandbox"])
    destination: dict[str, str] = Field(description="Where to, masked", examples=[{"account": "••••0001"}])
    destination_id: UUID | None = Field(description="The saved destination that this is or was, if any")
    status: str = Field(
        description="pending, processing, then completed or failed; cancelled when you took it back in time",
        json_schema_extra={"enum": ["pending", "processing", "completed", "failed", "cancelled"]},
    )
    cancel_requested: bool = Field(description="It will be cancelled as soon as the money is released")
    failure: FailureView | None = Field(description="With status failed: why; the money is back in the wallet")
    created_at: Instant
    settled_at: Instant | None = Field(description="When it reached its final status")


def withdrawal_view(withdrawal: Withdrawal) -> WithdrawalView:
    """What the owner sees."""
    failure = (
        FailureView(code=withdrawal.failure_code, reason=withdrawal.failure_reason or "")
        if withdrawal.failure_code is not None
        else None
    )
    return WithdrawalView(
        id=withdrawal.id,
        wallet_id=withdrawal.wallet_id,
        amount=withdrawal.amount_minor,
        currency=withdrawal.currency,
        provider=withdrawal.provider,
        destination=withdrawal.destination_masked,
        destination_id=withdrawal.payout_destination_id,
        status=withdrawal.status.value,
        cancel_requested=withdrawal.cancel_requested_at is not None,
        failure=failure,
        created_at=withdrawal.created_at,
        settled_at=withdrawal.settled_at,
    )


def _kept(withdrawal: Withdrawal) -> dict[str, Any]:
    return withdrawal_view(withdrawal).model_dump(mode="json")


def _settled(withdrawal: Withdrawal) -> bool:
    return withdrawal.status.settled


@router.post("", status_code=202, response_model=WithdrawalView, dependencies=[Depends(require_step_up)])
async def request_withdrawal(
    context: Ctx, user: VerifiedUser, request: Idempotent, body: WithdrawalBody, wait_seconds: WaitSeconds, response: Response
) -> JSONResponse:
    """Have money paid out. The amount is held in the wallet at once, and put back if the payout fails.

    With too little money it becomes `failed` with code `insufficient_funds`. `Prefer: wait=N` waits for the end. Needs a
    second factor given in the last 10 minutes, or a login where the account has none: else 401 `step_up_required`. A saved
    destination that is too new is 409 `destination_cooling_off`.
    """
    _check_one_destination(body)
    order = requesting.WithdrawalOrder(
        user_id=user.user_id,
        wallet_id=body.wallet_id,
        amount_minor=body.amount,
        currency=body.currency,
        provider=body.provider,
        destination=body.destination,
        destination_id=body.destination_id,
    )
    answer = await requesting.request_withdrawal(context, order, request, _kept)
    if wait_seconds and answer.status == 202:
        withdrawal_id = UUID(answer.body["id"])
        found = await settle(wait_seconds, response, lambda: any_withdrawal(context, withdrawal_id), _settled)
        answer = replace(answer, body=_kept(found), headers={**answer.headers, **response.headers})
    return respond(answer)


def _check_one_destination(body: WithdrawalBody) -> None:
    """Raises `InvalidRequest`."""
    if (body.destination is None) == (body.destination_id is None):
        errors = [FieldError("destination", "send either this or destination_id")]
        raise InvalidRequest(
            "Say where to pay to: with `destination`, or with `destination_id`, and not with both.", errors=errors
        )
    if body.destination is not None and body.provider is None:
        errors = [FieldError("provider", "is required with destination")]
        raise InvalidRequest("Say who pays to this destination: GET /v1/payment-providers lists the names.", errors=errors)


@router.get("")
async def list_withdrawals(context: Ctx, user: CurrentUser, paging: Paging) -> Page[WithdrawalView]:
    """Your withdrawals, newest first."""
    found = await withdrawals_of(context, user.user_id, paging.after, paging.fetch)
    return paging.page(found, lambda withdrawal: withdrawal.id, withdrawal_view)


@router.get("/{withdrawal_id}")
async def get_withdrawal(context: Ctx, user: CurrentUser, withdrawal_id: UUID) -> WithdrawalView:
    """One of your withdrawals."""
    return withdrawal_view(await withdrawal_of(context, user.user_id, withdrawal_id))


@router.post("/{withdrawal_id}/cancel", status_code=202)
async def cancel_withdrawal(
    context: Ctx, user: CurrentUser, withdrawal_id: UUID, wait_seconds: WaitSeconds, response: Response
) -> WithdrawalView:
    """Take a pending withdrawal back. It becomes `cancelled` when the money is released; doing it again is harmless.

    Once the provider has been asked to pay it is too late: 409 `withdrawal_not_cancellable`.
    """
    await cancelling.cancel_withdrawal(context, user.user_id, withdrawal_id)
    found = await settle(wait_seconds, response, lambda: withdrawal_of(context, user.user_id, withdrawal_id), _settled)
    return withdrawal_view(found)


@admin_router.post("/{withdrawal_id}/retry", status_code=202)
async def retry_withdrawal(
    context: Ctx, operator: Admin, withdrawal_id: UUID, wait_seconds: WaitSeconds, response: Response
) -> WithdrawalView:
    """Push a stuck withdrawal: ask the ledger, or the provider by our reference, again. Never pays a second time."""
    await retrying.retry_withdrawal(context, operator.user_id, withdrawal_id)
    return withdrawal_view(await settle(wait_seconds, response, lambda: any_withdrawal(context, withdrawal_id), _settled))
