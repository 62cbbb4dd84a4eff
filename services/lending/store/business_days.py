"""Business dates: which are closed, and how far the one that is being closed has come."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lending.store.tables import business_days


@dataclass(frozen=True)
class BusinessDay:
    """One business date. `counts` says what its close has done so far."""

    business_date: date
    closed: bool
    last_loan_id: UUID | None
    counts: dict[str, int]


class BusinessDayStore:
    """The calendar of closed days."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def last_closed(self) -> date | None:
        """The newest date that is closed."""
        query = sa.select(sa.func.max(business_days.c.business_date)).where(business_days.c.status == "closed")
        found: date | None = (await self._connection.execute(query)).scalar_one()
        return found

    async def today(self, real: date) -> date:
        """The business date that work done now belongs to: the real one, or in a simulation the last one closed."""
        last = await self.last_closed()
        return max(real, last) if last else real

    async def open(self, business_date: date, now: datetime) -> BusinessDay:
        """Begin to close a date, or go on where its close was interrupted; its row is locked."""
        statement = insert(business_days).values(business_date=business_date, status="running", counts={}, started_at=now)
        await self._connection.execute(statement.on_conflict_do_nothing())
        query = sa.select(business_days).where(business_days.c.business_date == business_date).with_for_update()
        row = (await self._connection.execute(query)).one()
        return BusinessDay(row.business_date, row.status == "closed", row.last_loan_id, dict(row.counts))

    async def save_progress(self, day: BusinessDay, last_loan_id: UUID | None, counts: dict[str, int]) -> None:
        """Note how far the close has come."""
        await self._update(day.business_date, last_loan_id=last_loan_id, counts=counts)

    async def close(self, business_date: date, now: datetime) -> None:
        """The date is closed."""
        await self._update(business_date, status="closed", closed_at=now)

    async def _update(self, business_date: date, **values: Any) -> None:
        await self._connection.execute(
            sa.update(business_days).where(business_days.c.business_date == business_date).values(**values)
        )
