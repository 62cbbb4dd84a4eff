"""A borrower's own repayments."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from services.lending.context import Context
from services.lending.domain.problems import LoanNotFound
from services.lending.domain.repayment import Repayment
from services.lending.queries.loans import get_own_loan
from services.lending.store.repayments import repayment_of
from services.lending.store.tables import repayments
from shared.http.paging import PageRequest
from shared.identity.principal import Principal


async def list_repayments(
    context: Context, principal: Principal, loan_id: UUID, page: PageRequest
) -> Sequence[tuple[Repayment, datetime]]:
    """Up to one more than a page of the payments on the caller's loan, newest first, each with the time of its creation.

    Operators see those of any loan. Raises `LoanNotFound`.
    """
    await get_own_loan(context, principal, loan_id)
    query = sa.select(repayments).where(repayments.c.loan_id == loan_id)
    if page.after:
        query = query.where(repayments.c.id < page.after)
    async with context.read() as reading:
        rows = await reading.connection.execute(query.order_by(repayments.c.id.desc()).limit(page.fetch))
        return [(repayment_of(row), row.created_at) for row in rows]


async def get_repayment(context: Context, principal: Principal, loan_id: UUID, repayment_id: UUID) -> tuple[Repayment, datetime]:
    """One payment on the caller's loan and the time of its creation; for operators, on any. Raises `LoanNotFound`."""
    await get_own_loan(context, principal, loan_id)
    query = sa.select(repayments).where(repayments.c.id == repayment_id, repayments.c.loan_id == loan_id)
    async with context.read() as reading:
        row = (await reading.connection.execute(query)).one_or_none()
    if row is None:
        raise LoanNotFound("Check the ids of the loan and of the repayment.")
    return repayment_of(row), row.created_at
