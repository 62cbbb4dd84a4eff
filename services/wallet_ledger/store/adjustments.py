"""Adjustments in PostgreSQL. A decided one is not changed any more, but for what the ledger said."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.wallet_ledger.domain.adjustment import Adjustment, AdjustmentEntry, AdjustmentStatus
from services.wallet_ledger.domain.transaction import Outcome
from services.wallet_ledger.store.tables import adjustments


class AdjustmentStore:
    """Adjustments, on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, adjustment: Adjustment) -> None:
        """Insert a new one."""
        row = {field.name: getattr(adjustment, field.name) for field in fields(adjustment)}
        row["entries"] = [asdict(entry) for entry in adjustment.entries]
        await self._connection.execute(adjustments.insert().values(row))

    async def find(self, adjustment_id: UUID, *, lock: bool = False) -> Adjustment | None:
        """One adjustment; with `lock` nobody else decides it until this transaction ends."""
        query = sa.select(adjustments).where(adjustments.c.id == adjustment_id)
        row = (await self._connection.execute(query.with_for_update() if lock else query)).mappings().one_or_none()
        return _read(row) if row is not None else None

    async def awaiting_reversal(self, transaction_id: UUID) -> Adjustment | None:
        """The reversal of a transaction that waits for approval."""
        query = sa.select(adjustments).where(
            adjustments.c.reverses_id == transaction_id, adjustments.c.status == AdjustmentStatus.AWAITING_APPROVAL
        )
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return _read(row) if row is not None else None

    async def newest(self, status: str | None, after: UUID | None, limit: int) -> Sequence[Adjustment]:
        """Adjustments, newest first, from the one after `after` on."""
        query = sa.select(adjustments).order_by(adjustments.c.id.desc()).limit(limit)
        if status is not None:
            query = query.where(adjustments.c.status == status)
        if after is not None:
            query = query.where(adjustments.c.id < after)
        return [_read(row) for row in (await self._connection.execute(query)).mappings()]

    async def decide(
        self, adjustment_id: UUID, status: AdjustmentStatus, person_id: UUID | None, reason: str | None, now: datetime
    ) -> None:
        """Write the decision; the caller holds the lock."""
        change = adjustments.update().where(adjustments.c.id == adjustment_id)
        await self._connection.execute(
            change.values(status=status.value, decided_by=person_id, decided_at=now, decision_reason=reason)
        )

    async def settle(self, adjustment_id: UUID, outcome: Outcome) -> bool:
        """Write what the ledger said; false when it was written before."""
        change = adjustments.update().where(adjustments.c.id == adjustment_id, adjustments.c.outcome.is_(None))
        values = {"outcome": outcome.status, "rejection_code": outcome.code, "rejection_detail": outcome.detail}
        return (await self._connection.execute(change.values(values))).rowcount == 1

    async def overdue(self, now: datetime, limit: int) -> Sequence[Adjustment]:
        """Those that nobody decided in time, locked."""
        query = (
            sa.select(adjustments)
            .where(adjustments.c.status == AdjustmentStatus.AWAITING_APPROVAL, adjustments.c.expires_at <= now)
            .order_by(adjustments.c.expires_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [_read(row) for row in (await self._connection.execute(query)).mappings()]

    async def unposted(self, before: datetime, limit: int) -> Sequence[UUID]:
        """Those that were approved before an instant and of which the ledger's answer is not known."""
        query = (
            sa.select(adjustments.c.id)
            .where(
                adjustments.c.status == AdjustmentStatus.APPROVED,
                adjustments.c.outcome.is_(None),
                adjustments.c.decided_at <= before,
            )
            .order_by(adjustments.c.decided_at)
            .limit(limit)
        )
        return (await self._connection.execute(query)).scalars().all()


def _read(row: Any) -> Adjustment:
    entries = tuple(AdjustmentEntry(**entry) for entry in row["entries"])
    return Adjustment(**{**row, "entries": entries, "status": AdjustmentStatus(row["status"])})
