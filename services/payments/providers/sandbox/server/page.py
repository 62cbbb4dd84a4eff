"""The payment page: what is to be paid, and two buttons."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.payments.providers.sandbox.server import payments
from services.payments.providers.sandbox.server.context import Ctx
from services.payments.providers.sandbox.server.problems import CheckoutNotFound
from shared.money import format_minor

router = APIRouter(prefix="/sandbox", include_in_schema=False)

_pages = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@router.get("/checkout/{payment_id}")
async def show_checkout(context: Ctx, payment_id: str) -> HTMLResponse:
    """The page of one payment: the amount with its buttons, or what was decided."""
    found = _id_in(payment_id)
    async with context.database.read() as connection:
        payment = await payments.find(connection, found) if found is not None else None
    if payment is None:
        return HTMLResponse(_pages.get_template("not_found.html").render(), status_code=404, headers=_HEADERS)
    page = _pages.get_template("checkout.html").render(
        status=payment.as_of(context.clock.now()),
        amount=_grouped(format_minor(payment.amount_minor, payment.currency)),
        currency=payment.currency,
        description=payment.description,
        reference=payment.reference,
        return_url=payment.return_url,
    )
    return HTMLResponse(page, headers=_HEADERS)


@router.post("/checkout/{payment_id}")
async def decide_checkout(context: Ctx, payment_id: str, outcome: Annotated[payments.Decision, Form()]) -> RedirectResponse:
    """What the buttons do: approve or decline. Pressing again changes nothing; the first decision stays."""
    found = _id_in(payment_id)
    async with context.transaction() as connection:
        payment = await payments.decide(connection, found, outcome, context.clock.now()) if found is not None else None
    if payment is None:
        raise CheckoutNotFound("Check the address, or start the deposit again.")
    context.wake.set()
    # Relative, so that it works under whatever address the page was reached by.
    return RedirectResponse(payment.return_url or f"/sandbox/checkout/{payment.id}", status_code=303)


def _id_in(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _grouped(amount: str) -> str:
    whole, point, cents = amount.partition(".")
    return f"{int(whole):,}{point}{cents}"
