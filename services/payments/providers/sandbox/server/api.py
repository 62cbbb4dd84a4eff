"""The API that the platform's adapter calls. Orders are idempotent by the caller's reference."""

import hmac
import json
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Response
from pydantic import AwareDatetime, StringConstraints

from services.payments.providers.sandbox.server import payments, payouts, settlements
from services.payments.providers.sandbox.server.context import Ctx, SandboxContext
from services.payments.providers.sandbox.server.problems import UnknownReference, WrongSecret
from shared.http.schemas import AmountMinor, Body, CurrencyCode
from shared.webhooks import HEADER, sign

Reference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


async def _authenticated(context: Ctx, authorization: Annotated[str, Header()] = "") -> None:
    expected = f"Bearer {context.settings.sandbox_secret.get_secret_value()}"
    if not hmac.compare_digest(authorization.encode(), expected.encode()):
        raise WrongSecret("Both sides read it from LENDERY_SANDBOX_SECRET.")


router = APIRouter(prefix="/sandbox/api", include_in_schema=False, dependencies=[Depends(_authenticated)])


class PaymentBody(Body):
    """A payment to be made at the page."""

    reference: Reference
    amount: AmountMinor
    currency: CurrencyCode
    description: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    expires_at: AwareDatetime
    return_url: Annotated[str, StringConstraints(max_length=2000)] | None = None


class PayoutBody(Body):
    """Money to be sent to an account."""

    reference: Reference
    amount: AmountMinor
    currency: CurrencyCode
    account: Annotated[str, StringConstraints(min_length=1, max_length=100)]


@router.post("/payments")
async def order_sandbox_payment(context: Ctx, body: PaymentBody) -> dict[str, Any]:
    """Order a payment, or get the one that was ordered before under this reference."""
    async with context.transaction() as connection:
        payment = await payments.order_payment(
            connection,
            reference=body.reference,
            amount_minor=body.amount,
            currency=body.currency,
            description=body.description,
            return_url=body.return_url,
            expires_at=body.expires_at,
            now=context.clock.now(),
        )
    return _payment_view(context, payment)


@router.get("/payments/{reference}")
async def get_sandbox_payment(context: Ctx, reference: Reference) -> dict[str, Any]:
    """What has become of a payment."""
    async with context.database.read() as connection:
        payment = await payments.find_by_reference(connection, reference)
    if payment is None:
        raise UnknownReference("Order it first.")
    return _payment_view(context, payment)


@router.post("/payouts")
async def order_sandbox_payout(context: Ctx, body: PayoutBody) -> dict[str, Any]:
    """Order a payout, or get the one that was ordered before under this reference."""
    async with context.transaction() as connection:
        payout = await payouts.order_payout(
            connection,
            reference=body.reference,
            amount_minor=body.amount,
            currency=body.currency,
            account=body.account,
            now=context.clock.now(),
        )
    return _payout_view(payout)


@router.get("/payouts/{reference}")
async def get_sandbox_payout(context: Ctx, reference: Reference) -> dict[str, Any]:
    """What has become of a payout."""
    async with context.database.read() as connection:
        payout = await payouts.find_by_reference(connection, reference)
    if payout is None:
        raise UnknownReference("Order it first.")
    return _payout_view(payout)


@router.get("/settlements")
async def report_sandbox_settlements(
    context: Ctx,
    day: Annotated[date, Query(alias="date")],
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 500,
) -> Response:
    """What was settled on a day (UTC), in pages; of a day that is not over, what was so far. Signed as webhooks are."""
    now = context.clock.now()
    async with context.database.read() as connection:
        page = await settlements.page_of(connection, day, cursor, limit)
    report = {
        "date": day.isoformat(),
        "complete": day < now.date(),
        "total_rows": page.total_rows,
        "rows": [_settlement_view(row) for row in page.rows],
        "next_cursor": page.next_cursor,
    }
    body = json.dumps(report).encode()
    signature = sign(context.settings.sandbox_secret.get_secret_value(), now, body)
    return Response(body, media_type="application/json", headers={HEADER: signature})


def _settlement_view(row: settlements.Settlement) -> dict[str, Any]:
    return {
        "id": f"set_{row.id.hex}",
        "type": row.type,
        "reference": row.reference,
        "amount": row.amount_minor,
        "fee": 0,
        "currency": row.currency,
        "settled_at": row.settled_at.isoformat(),
    }


def _payment_view(context: SandboxContext, payment: payments.Payment) -> dict[str, Any]:
    return {
        "id": str(payment.id),
        "reference": payment.reference,
        "amount": payment.amount_minor,
        "currency": payment.currency,
        "status": payment.as_of(context.clock.now()),
        "checkout_url": context.checkout_url(payment.id),
    }


def _payout_view(payout: payouts.Payout) -> dict[str, Any]:
    return {
        "id": str(payout.id),
        "reference": payout.reference,
        "amount": payout.amount_minor,
        "currency": payout.currency,
        "status": payout.status,
    }
