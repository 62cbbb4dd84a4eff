"""A lender's own investments."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from services.lending.context import Context
from services.lending.domain.investment import Investment, InvestmentStatus
from services.lending.domain.problems import InvestmentNotFound
from services.lending.store.investments import investment_of
from services.lending.store.tables import investments
from shared.http.paging import PageRequest
from shared.identity.principal import Principal


async def list_investments(
    context: Context, principal: Principal, page: PageRequest, *, status: InvestmentStatus | None, loan_id: UUID | None
) -> Sequence[tuple[Investment, datetime]]:
    """Up to one more than a page, newest first, each with the time of its creation."""
    query = sa.select(investments).where(investments.c.lender_id == principal.user_id)
    if status is not None:
        query = query.where(investments.c.status == status)
    if loan_id is not None:
        query = query.where(investments.c.loan_id == loan_id)
    if page.after:
        query = query.where(investments.c.id < page.after)
    async with context.read() as reading:
        rows = await reading.connection.execute(query.order_by(investments.c.id.desc()).limit(page.fetch))
        return [(investment_of(row), row.created_at) for row in rows]


async def get_investment(context: Context, principal: Principal, investment_id: UUID) -> tuple[Investment, datetime]:
    """One of the caller's investments and the time of its creation. Raises `InvestmentNotFound`."""
    query = sa.select(investments).where(investments.c.id == investment_id, investments.c.lender_id == principal.user_id)
    async with context.read() as reading:
        row = (await reading.connection.execute(query)).one_or_none()
    if row is None:
        raise InvestmentNotFound("Check the id of the investment.")
    return investment_of(row), row.created_at
