"""Payments in: ordered by the platform, decided once by the person at the page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.payments.providers.sandbox.server import webhook_queue
from services.payments.providers.sandbox.server.problems import ReferenceTaken
from services.payments.providers.sandbox.server.tables import payments
from shared.ids import new_id

Decision = Literal["approve", "decline"]
_STATUS_AFTER: dict[Decision, str] = {"approve": "succeeded", "decline": "declined"}


@dataclass(frozen=True)
class Payment:
    """One payment, as the provider sees it."""

    id: UUID
    reference: str
    amount_minor: int
    currency: str
    description: str
    return_url: str | None
    status: str
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None

    def as_of(self, now: datetime) -> str:
        """The status at `now`: a payment that nobody decided in time has expired."""
        return "expired" if self.status == "pending" and self.expires_at <= now else self.status


async def order_payment(
    connection: AsyncConnection,
    *,
    reference: str,
    amount_minor: int,
    currency: str,
    description: str,
    return_url: str | None,
    expires_at: datetime,
    now: datetime,
) -> Payment:
    """The payment of `reference`, made if it is new. Raises `ReferenceTaken` when it was ordered with other terms."""
    await connection.execute(
        insert(payments)
        .values(
            id=new_id(),
            reference=reference,
            amount_minor=amount_minor,
            currency=currency,
            description=description,
            return_url=return_url,
            status="pending",
            created_at=now,
            expires_at=expires_at,
        )
        .on_conflict_do_nothing(index_elements=[payments.c.reference])
    )
    payment = await find_by_reference(connection, reference)
    assert payment is not None  # noqa: S101 inserted above, or by somebody before
    if (payment.amount_minor, payment.currency) != (amount_minor, currency):
        raise ReferenceTaken("This reference was used for another amount.")
    return payment


async def find_by_reference(connection: AsyncConnection, reference: str) -> Payment | None:
    """The payment that the platform calls `reference`."""
    return await _one(connection, sa.select(payments).where(payments.c.reference == reference))


async def find(connection: AsyncConnection, payment_id: UUID) -> Payment | None:
    """The payment of a page."""
    return await _one(connection, sa.select(payments).where(payments.c.id == payment_id))


async def decide(connection: AsyncConnection, payment_id: UUID, decision: Decision, now: datetime) -> Payment | None:
    """Decide a payment, once: the first decision stays, and one after the time is over changes nothing."""
    payment = await _one(connection, sa.select(payments).where(payments.c.id == payment_id).with_for_update())
    if payment is None or payment.as_of(now) != "pending":
        return payment
    status = _STATUS_AFTER[decision]
    await connection.execute(payments.update().where(payments.c.id == payment_id).values(status=status, decided_at=now))
    await webhook_queue.add(
        connection,
        f"payment.{status}",
        {
            "id": str(payment.id),
            "reference": payment.reference,
            "status": status,
            "amount": payment.amount_minor,
            "currency": payment.currency,
        },
        now,
    )
    return await find(connection, payment_id)


async def _one(connection: AsyncConnection, query: sa.Select[tuple[object, ...]]) -> Payment | None:
    row = (await connection.execute(query)).mappings().one_or_none()
    return Payment(**row) if row is not None else None
