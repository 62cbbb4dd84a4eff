"""Transfers: money from one's own wallet to somebody else's, or to another of one's own."""

from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import ConfigDict, Field, model_validator

from services.wallet_ledger.commands.transfer_money import CompletedTransfer, TransferOrder, transfer_money
from services.wallet_ledger.context import Ctx
from shared.http.auth import VerifiedUser
from shared.http.idempotency import Idempotent
from shared.http.schemas import AmountMinor, Body, CurrencyCode, EmailAddress, Instant, ShortText, View

router = APIRouter(prefix="/v1/transfers", tags=["transfers"])


class Recipient(Body):
    """Who gets the money: a wallet by its id, or a person by their e-mail address."""

    model_config = ConfigDict(json_schema_extra={"example": {"email": "amina@example.com"}})

    wallet_id: UUID | None = None
    email: EmailAddress | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "Recipient":
        if (self.wallet_id is None) == (self.email is None):
            raise ValueError("give either wallet_id or email")
        return self


class TransferBody(Body):
    """Money to be sent."""

    from_wallet_id: UUID = Field(description="One of your wallets")
    to: Recipient
    amount: AmountMinor
    currency: CurrencyCode
    description: ShortText | None = Field(None, description="Both sides see it", examples=["Lunch"])


class TransferView(View):
    """Money that was sent."""

    id: UUID
    status: Literal["completed"]
    from_wallet_id: UUID
    to_wallet_id: UUID
    amount: int = Field(description="Minor units", examples=[12500])
    currency: str = Field(examples=["KES"])
    description: str | None
    completed_at: Instant


def _view(transfer: CompletedTransfer) -> TransferView:
    return TransferView(
        id=transfer.id,
        status="completed",
        from_wallet_id=transfer.from_wallet_id,
        to_wallet_id=transfer.to_wallet_id,
        amount=transfer.amount_minor,
        currency=transfer.currency,
        description=transfer.description,
        completed_at=transfer.completed_at,
    )


@router.post("", status_code=201, response_model=TransferView)
async def send_money(context: Ctx, user: VerifiedUser, request: Idempotent, body: TransferBody) -> Response:
    """Send money; it is there when this answers. Sent to an address, it goes to its owner's wallet in the currency."""
    order = TransferOrder(
        user_id=user.user_id,
        from_wallet_id=body.from_wallet_id,
        to_wallet_id=body.to.wallet_id,
        to_email=body.to.email,
        amount_minor=body.amount,
        currency=body.currency,
        description=body.description,
    )
    transfer = await transfer_money(context, order, request)
    headers = {"Idempotent-Replayed": "true"} if transfer.replayed else None
    return Response(_view(transfer).model_dump_json(), status_code=201, headers=headers, media_type="application/json")
