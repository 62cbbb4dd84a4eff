"""Payment providers that can be used here."""

from fastapi import APIRouter
from pydantic import Field

from services.payments.context import Ctx
from services.payments.providers.base import Capabilities
from shared.http.paging import Page
from shared.http.schemas import View

router = APIRouter(prefix="/v1/payment-providers", tags=["payment providers"])


class PaymentProviderView(View):
    """What a provider can do."""

    name: str = Field(examples=["sandbox"])
    title: str = Field(examples=["Sandbox (no real money)"])
    currencies: list[str] = Field(examples=[["KES", "USD"]])
    min_amount: int = Field(description="Minor units")
    max_amount: int = Field(description="Minor units")
    supports_deposits: bool
    supports_withdrawals: bool
    destination_fields: list[str] = Field(description="What the `destination` of a withdrawal must name", examples=[["account"]])


def _view(capabilities: Capabilities) -> PaymentProviderView:
    return PaymentProviderView(
        name=capabilities.name,
        title=capabilities.title,
        currencies=sorted(capabilities.currencies),
        min_amount=capabilities.min_amount_minor,
        max_amount=capabilities.max_amount_minor,
        supports_deposits=True,
        supports_withdrawals=capabilities.supports_payout,
        destination_fields=list(capabilities.destination_fields),
    )


@router.get("")
async def list_payment_providers(context: Ctx) -> Page[PaymentProviderView]:
    """Whom you can pay in and be paid out through, by name. Needs no login."""
    providers = sorted(context.providers.values(), key=lambda provider: provider.capabilities.name)
    return Page(items=[_view(provider.capabilities) for provider in providers], next_cursor=None)
