"""Payouts: taken at once, settled a little later, as banks do. What happens depends on the name of the account."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.payments.providers.sandbox.server import webhook_queue
from services.payments.providers.sandbox.server.problems import ReferenceTaken
from services.payments.providers.sandbox.server.tables import payouts
from shared.ids import new_id

FAILING_PREFIX = "fail-"
SLOW_PREFIX = "slow-"
_USUAL = timedelta(milliseconds=200)
_SLOW = timedelta(seconds=5)
_BATCH = 100


@dataclass(frozen=True)
class Payout:
    """One payout, as the provider sees it."""

    id: UUID
    reference: str
    amount_minor: int
    currency: str
    account: str
    status: str
    created_at: datetime
    settles_at: datetime
    settled_at: datetime | None


async def order_payout(
    connection: AsyncConnection, *, reference: str, amount_minor: int, currency: str, account: str, now: datetime
) -> Payout:
    """The payout of `reference`, made if it is new. Raises `ReferenceTaken` when it was ordered with other terms."""
    await connection.execute(
        insert(payouts)
        .values(
            id=new_id(),
            reference=reference,
            amount_minor=amount_minor,
            currency=currency,
            account=account,
            status="processing",
            created_at=now,
            settles_at=now + (_SLOW if account.startswith(SLOW_PREFIX) else _USUAL),
        )
        .on_conflict_do_nothing(index_elements=[payouts.c.reference])
    )
    payout = await find_by_reference(connection, reference)
    assert payout is not None  # noqa: S101 inserted above, or by somebody before
    if (payout.amount_minor, payout.currency, payout.account) != (amount_minor, currency, account):
        raise ReferenceTaken("This reference was used for another payout.")
    return payout


async def find_by_reference(connection: AsyncConnection, reference: str) -> Payout | None:
    """The payout that the platform calls `reference`."""
    row = (await connection.execute(sa.select(payouts).where(payouts.c.reference == reference))).mappings().one_or_none()
    return Payout(**row) if row is not None else None


async def settle_due(connection: AsyncConnection, now: datetime) -> int:
    """Settle payouts whose time has come, and queue their webhooks; how many."""
    due = (
        sa.select(payouts)
        .where(payouts.c.status == "processing", payouts.c.settles_at <= now)
        .order_by(payouts.c.settles_at)
        .limit(_BATCH)
        .with_for_update(skip_locked=True)
    )
    found = [Payout(**row) for row in (await connection.execute(due)).mappings()]
    for payout in found:
        status = "failed" if payout.account.startswith(FAILING_PREFIX) else "succeeded"
        await connection.execute(payouts.update().where(payouts.c.id == payout.id).values(status=status, settled_at=now))
        await webhook_queue.add(
            connection,
            f"payout.{status}",
            {
                "id": str(payout.id),
                "reference": payout.reference,
                "status": status,
                "amount": payout.amount_minor,
                "currency": payout.currency,
            },
            now,
        )
    return len(found)
