"""Tell once more which wallets lending counts on and which no longer, of every loan and investment that there ever was.

For wallets that others take to be in use though they are not: what ended before lending told of it, or was told in a message
that was lost. Saying it again changes nothing for those who knew.
"""

from collections.abc import Callable
from uuid import UUID

import sqlalchemy as sa

from services.lending.domain.investment import Investment
from services.lending.domain.loan import Loan
from services.lending.store.investments import investment_of
from services.lending.store.loans import loan_of
from services.lending.store.tables import investments, loans
from services.lending.store.unit_of_work import UnitOfWork
from services.lending.store.wallet_uses import tell_uses

_LOANS_AT_ONCE = 100


async def tell_wallet_uses(unit_of_work: Callable[[], UnitOfWork]) -> int:
    """How many uses were told. A transaction for some loans with all their parts."""
    told, after = 0, UUID(int=0)
    while True:
        async with unit_of_work() as work:
            last, count = await _tell_stretch(work, after)
        if last is None:
            return told
        told, after = told + count, last


async def _tell_stretch(work: UnitOfWork, after: UUID) -> tuple[UUID | None, int]:
    """Tell of the loans above `after`: the id of the last of them, and how many uses that were.

    Each loan is locked, so that nothing that ends meanwhile is told before it was told to be in use.
    """
    tell = tell_uses(work.outbox)
    query = sa.select(loans).where(loans.c.id > after).order_by(loans.c.id).limit(_LOANS_AT_ONCE).with_for_update()
    found = [loan_of(row) for row in await work.connection.execute(query)]
    parts = sa.select(investments).where(investments.c.loan_id.in_([loan.id for loan in found])).order_by(investments.c.id)
    uses: list[Loan | Investment] = [*found, *(investment_of(row) for row in await work.connection.execute(parts))]
    for use in uses:
        tell(use)
    return (found[-1].id if found else None), len(uses)
