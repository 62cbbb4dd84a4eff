"""Loans and what happened to them, in and out of the database."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lending.domain.day_count import DayCount
from services.lending.domain.loan import Loan, LoanStatus
from services.lending.domain.loan_state import Surplus
from services.lending.domain.pricing import Grade
from services.lending.domain.problems import LoanNotFound
from services.lending.domain.terms import Method
from services.lending.domain.wallet_use import ENDED_LOANS
from services.lending.store.tables import loan_events, loans
from services.lending.store.wallet_uses import TellUse
from shared.ids import new_id


def loan_of(row: Any) -> Loan:
    """The loan of a row of `loans`."""
    fields = dict(row._mapping)
    return Loan(
        **fields
        | {
            "status": LoanStatus(row.status),
            "method": Method(row.method),
            "day_count": DayCount(row.day_count),
            "risk_grade": Grade(row.risk_grade),
            "surplus": Surplus(row.surplus),
            "annual_rate": row.annual_rate.normalize(),
        }
    )


class LoanStore:
    """Loans for writing: read under their row lock, written whole."""

    def __init__(self, connection: AsyncConnection, tell_use: TellUse) -> None:
        self._connection = connection
        self._tell_use = tell_use

    async def add(self, loan: Loan) -> None:
        """A new loan."""
        await self._connection.execute(loans.insert().values(**asdict(loan)))
        self._tell_use(loan)

    async def lock(self, loan_id: UUID) -> Loan:
        """The loan, nobody else's until the transaction ends. Raises `LoanNotFound`."""
        query = sa.select(loans).where(loans.c.id == loan_id).with_for_update()
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            raise LoanNotFound("Check the id of the loan.")
        return loan_of(row)

    async def save(self, loan: Loan) -> None:
        """Write a loan that was read under its lock."""
        fields = asdict(loan)
        del fields["id"]
        await self._connection.execute(sa.update(loans).where(loans.c.id == loan.id).values(**fields))
        if loan.status in ENDED_LOANS:
            self._tell_use(loan)

    async def due_by(self, day: date, after: UUID | None, limit: int) -> Sequence[UUID]:
        """Active loans that have something due on `day` or before, in the order of their ids."""
        query = sa.select(loans.c.id).where(loans.c.status == LoanStatus.ACTIVE, loans.c.next_due_on <= day)
        if after is not None:
            query = query.where(loans.c.id > after)
        return (await self._connection.execute(query.order_by(loans.c.id).limit(limit))).scalars().all()

    async def rounds_ended_by(self, instant: datetime, limit: int) -> Sequence[UUID]:
        """Loans whose funding round is over but that are not funded."""
        query = (
            sa.select(loans.c.id)
            .where(loans.c.status == LoanStatus.FUNDING, loans.c.funding_ends_at <= instant)
            .order_by(loans.c.funding_ends_at)
            .limit(limit)
        )
        return (await self._connection.execute(query)).scalars().all()

    async def first_submitted_at(self) -> datetime | None:
        """When the first loan of all was applied for."""
        found: datetime | None = (await self._connection.execute(sa.select(sa.func.min(loans.c.submitted_at)))).scalar_one()
        return found

    async def note(self, loan_id: UUID, kind: str, business_date: date, at: datetime, **data: Any) -> None:
        """Add to the loan's history, which its parties can read: no personal data."""
        await self._connection.execute(
            loan_events.insert().values(
                id=new_id(), loan_id=loan_id, type=kind, business_date=business_date, data=data, occurred_at=at
            )
        )
