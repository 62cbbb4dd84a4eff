"""Payout destinations: where somebody wants to be paid out to again."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import Field, StringConstraints

from services.payments.api.deposits import ProviderName
from services.payments.commands import add_payout_destination as adding
from services.payments.commands import remove_payout_destination as removing
from services.payments.context import Ctx
from services.payments.domain.payout_destination import PayoutDestination
from services.payments.queries.payout_destinations import destination_of, destinations_of
from shared.http.auth import CurrentUser, VerifiedUser, require_step_up
from shared.http.paging import Page, Paging
from shared.http.schemas import Body, Instant, View

router = APIRouter(prefix="/v1/payout-destinations", tags=["payout destinations"])

DestinationField = Annotated[str, StringConstraints(min_length=1, max_length=50)]
DestinationValue = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Destination = Annotated[dict[DestinationField, DestinationValue], Field(min_length=1, max_length=10)]


class PayoutDestinationBody(Body):
    """A destination to be saved."""

    provider: ProviderName
    destination: Destination = Field(
        description="Where to pay to; GET /v1/payment-providers names the fields of each provider",
        examples=[{"account": "254700000001"}],
    )
    label: Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True)] | None = Field(
        None, description="What you call it; only you see it", examples=["My phone"]
    )


class PayoutDestinationView(View):
    """A saved destination."""

    id: UUID
    provider: str = Field(examples=["sandbox"])
    destination: dict[str, str] = Field(description="Where to, masked", examples=[{"account": "••••0001"}])
    label: str | None = Field(examples=["My phone"])
    created_at: Instant
    usable_from: Instant = Field(
        description="Nothing is paid to it before this instant, so that its owner can still object",
        examples=["2026-02-01T09:30:00Z"],
    )


def _view(destination: PayoutDestination) -> PayoutDestinationView:
    return PayoutDestinationView(
        id=destination.id,
        provider=destination.provider,
        destination=destination.destination_masked,
        label=destination.label,
        created_at=destination.created_at,
        usable_from=destination.usable_from,
    )


@router.post(
    "",
    status_code=201,
    dependencies=[Depends(require_step_up)],
    responses={200: {"model": PayoutDestinationView, "description": "It was saved before, and stays as it is"}},
)
async def add_payout_destination(
    context: Ctx, user: VerifiedUser, body: PayoutDestinationBody, response: Response
) -> PayoutDestinationView:
    """Save where you want to be paid out to; `destination_id` of a withdrawal then names it.

    You get a message about it. Nothing is paid to it before `usable_from`. Needs a second factor given in the last 10
    minutes, or a login where the account has none: else 401 `step_up_required`. The same destination again is answered
    200 with the one that is there.
    """
    new = adding.NewDestination(provider=body.provider, destination=body.destination, label=body.label)
    saved, is_new = await adding.add_payout_destination(context, user, new)
    response.status_code = 201 if is_new else 200
    return _view(saved)


@router.get("")
async def list_payout_destinations(context: Ctx, user: CurrentUser, paging: Paging) -> Page[PayoutDestinationView]:
    """The destinations that you have saved, newest first."""
    found = await destinations_of(context, user.user_id, paging.after, paging.fetch)
    return paging.page(found, lambda destination: destination.id, _view)


@router.get("/{destination_id}")
async def get_payout_destination(context: Ctx, user: CurrentUser, destination_id: UUID) -> PayoutDestinationView:
    """One of the destinations that you have saved."""
    return _view(await destination_of(context, user.user_id, destination_id))


@router.delete("/{destination_id}", status_code=204)
async def remove_payout_destination(context: Ctx, user: CurrentUser, destination_id: UUID) -> None:
    """Forget a destination. Withdrawals that are under way to it go on; you get a message about it."""
    await removing.remove_payout_destination(context, user, destination_id)
