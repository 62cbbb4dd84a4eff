"""Repayments, their shares and late fees, in and out of the database."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lending.domain.distribution import LenderShare
from services.lending.domain.loan_state import Charge, Payment, Surplus
from services.lending.domain.repayment import Repayment, RepaymentKind, RepaymentStatus
from services.lending.store.tables import late_fees, repayment_shares, repayments

_FIELDS = [column for column in repayments.c if column.name != "created_at"]


def repayment_of(row: Any) -> Repayment:
    """The repayment of a row of `repayments`, without its time of creation."""
    fields = {column.name: getattr(row, column.name) for column in _FIELDS}
    return Repayment(**fields | {"kind": RepaymentKind(row.kind), "status": RepaymentStatus(row.status)})


class RepaymentStore:
    """Repayments for writing. Their loan's lock protects them: take it first."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, repayment: Repayment) -> None:
        """A new repayment."""
        await self._connection.execute(repayments.insert().values(**asdict(repayment)))

    async def get(self, repayment_id: UUID) -> Repayment:
        """One repayment, which exists."""
        query = sa.select(*_FIELDS).where(repayments.c.id == repayment_id)
        return repayment_of((await self._connection.execute(query)).one())

    async def save(self, repayment: Repayment) -> None:
        """Write a repayment whose loan is locked."""
        fields = asdict(repayment)
        del fields["id"]
        await self._connection.execute(sa.update(repayments).where(repayments.c.id == repayment.id).values(**fields))

    async def next_waiting(self, loan_id: UUID) -> Repayment | None:
        """The repayment whose turn it is: the oldest pending one, unless one is being posted."""
        open_statuses = (RepaymentStatus.PENDING, RepaymentStatus.POSTING)
        query = (
            sa.select(*_FIELDS)
            .where(repayments.c.loan_id == loan_id, repayments.c.status.in_(open_statuses))
            .order_by(sa.case((repayments.c.status == RepaymentStatus.POSTING, 0), else_=1), repayments.c.id)
            .limit(1)
        )
        row = (await self._connection.execute(query)).one_or_none()
        found = repayment_of(row) if row else None
        return found if found and found.status is RepaymentStatus.PENDING else None

    async def history(self, loan_id: UUID, surplus: Surplus, *, with_posting: bool = False) -> list[Payment | Charge]:
        """What the loan's replay needs: charges and completed payments, in the order in which they were recorded.

        `with_posting` counts the payment that the ledger has been asked for but has not answered about.
        """
        counted = [RepaymentStatus.COMPLETED] + ([RepaymentStatus.POSTING] if with_posting else [])
        fees = sa.select(late_fees).where(late_fees.c.loan_id == loan_id)
        paid = sa.select(repayments).where(repayments.c.loan_id == loan_id, repayments.c.status.in_(counted))
        entries: dict[int, Payment | Charge] = {
            row.position: Charge(row.number, row.charged_on, row.fee_minor) for row in await self._connection.execute(fees)
        }
        for row in await self._connection.execute(paid):
            entries[row.position] = Payment(row.paid_on, row.amount_minor, surplus)
        return [entries[position] for position in sorted(entries)]

    async def next_position(self, loan_id: UUID) -> int:
        """The place in the loan's history of what is recorded next; needs the loan's lock."""
        last = sa.union_all(
            *(sa.select(sa.func.max(table.c.position)).where(table.c.loan_id == loan_id) for table in (repayments, late_fees))
        ).subquery()
        found: int | None = (await self._connection.execute(sa.select(sa.func.max(last.c[0])))).scalar_one()
        return (found or 0) + 1

    async def add_shares(self, repayment_id: UUID, shares: Iterable[LenderShare]) -> None:
        """What each lender got of a repayment."""
        rows = [
            {
                "repayment_id": repayment_id,
                "investment_id": share.funding_id,
                "principal_minor": share.principal_minor,
                "interest_minor": share.interest_minor,
                "service_fee_minor": share.service_fee_minor,
            }
            for share in shares
        ]
        if rows:
            await self._connection.execute(repayment_shares.insert(), rows)

    async def charged_installments(self, loan_id: UUID) -> Sequence[int]:
        """The installments that had their late fee."""
        query = sa.select(late_fees.c.number).where(late_fees.c.loan_id == loan_id)
        return (await self._connection.execute(query)).scalars().all()

    async def add_late_fee(self, loan_id: UUID, charge: Charge) -> None:
        """A late fee; an installment has one at most. Needs the loan's lock."""
        await self._connection.execute(
            late_fees.insert().values(
                loan_id=loan_id,
                number=charge.number,
                fee_minor=charge.amount_minor,
                charged_on=charge.charged_on,
                position=await self.next_position(loan_id),
            )
        )
