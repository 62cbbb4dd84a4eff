"""Deposits: money into a wallet."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field, StringConstraints

from services.payments.commands import start_deposit as starting
from services.payments.context import Ctx
from services.payments.domain.deposit import Deposit
from services.payments.queries.deposits import deposit_of, deposits_of
from shared.http.auth import CurrentUser
from shared.http.idempotency import Idempotent, respond
from shared.http.paging import Page, Paging
from shared.http.schemas import AmountMinor, Body, CurrencyCode, Instant, View

router = APIRouter(prefix="/v1/deposits", tags=["deposits"])

ProviderName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$"),
    Field(description="A name from GET /v1/payment-providers", examples=["sandbox"]),
]


class DepositBody(Body):
    """Money to be brought in."""

    wallet_id: UUID = Field(description="One of your wallets; the money goes there")
    amount: AmountMinor
    currency: CurrencyCode
    provider: ProviderName
    return_url: Annotated[str, StringConstraints(max_length=2000)] | None = Field(
        None, description="A page of this platform to come back to after paying"
    )


class FailureView(View):
    """Why it did not happen."""

    code: str = Field(examples=["payment_declined"])
    reason: str = Field(examples=["The payment was declined."])


class DepositView(View):
    """A deposit."""

    id: UUID
    wallet_id: UUID
    amount: int = Field(description="Minor units", examples=[12500])
    currency: str = Field(examples=["KES"])
    provider: str = Field(examples=["sandbox"])
    status: str = Field(
        description="pending, then succeeded, failed or expired; succeeded may become refunded",
        json_schema_extra={"enum": ["pending", "succeeded", "failed", "expired", "refunded"]},
    )
    checkout_url: str | None = Field(description="Where to pay; null until the provider has answered")
    failure: FailureView | None = Field(description="With status failed: why")
    created_at: Instant
    expires_at: Instant = Field(description="Pay before this instant")
    settled_at: Instant | None = Field(description="When it reached its final status")


def deposit_view(deposit: Deposit) -> DepositView:
    """What the owner sees."""
    failure = (
        FailureView(code=deposit.failure_code, reason=deposit.failure_reason or "")
        if deposit.failure_code is not None and deposit.status.public == "failed"
        else None
    )
    return DepositView(
        id=deposit.id,
        wallet_id=deposit.wallet_id,
        amount=deposit.amount_minor,
        currency=deposit.currency,
        provider=deposit.provider,
        status=deposit.status.public,
        checkout_url=deposit.checkout_url,
        failure=failure,
        created_at=deposit.created_at,
        expires_at=deposit.expires_at,
        settled_at=deposit.settled_at,
    )


def _kept(deposit: Deposit) -> dict[str, Any]:
    return deposit_view(deposit).model_dump(mode="json")


@router.post("", status_code=201, response_model=DepositView)
async def start_deposit(context: Ctx, user: CurrentUser, request: Idempotent, body: DepositBody) -> JSONResponse:
    """Bring money in: open `checkout_url` and pay there.

    The deposit is `pending` until the provider has confirmed the payment and it is booked, then `succeeded`. When the
    provider cannot be reached the answer is 503 `provider_unavailable`; send the same request with the same key again.
    """
    order = starting.DepositOrder(
        user_id=user.user_id,
        wallet_id=body.wallet_id,
        amount_minor=body.amount,
        currency=body.currency,
        provider=body.provider,
        return_url=body.return_url,
    )
    return respond(await starting.start_deposit(context, order, request, _kept))


@router.get("")
async def list_deposits(context: Ctx, user: CurrentUser, paging: Paging) -> Page[DepositView]:
    """Your deposits, newest first."""
    found = await deposits_of(context, user.user_id, paging.after, paging.fetch)
    return paging.page(found, lambda deposit: deposit.id, deposit_view)


@router.get("/{deposit_id}")
async def get_deposit(context: Ctx, user: CurrentUser, deposit_id: UUID) -> DepositView:
    """One of your deposits."""
    return deposit_view(await deposit_of(context, user.user_id, deposit_id))
