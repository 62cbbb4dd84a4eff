"""Investments, in and out of the database."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lending.domain.investment import Investment, InvestmentStatus
from services.lending.domain.problems import InvestmentNotFound
from services.lending.domain.wallet_use import ENDED_INVESTMENTS
from services.lending.store.tables import investments
from services.lending.store.wallet_uses import TellUse

_FIELDS = [column for column in investments.c if column.name != "created_at"]


def investment_of(row: Any) -> Investment:
    """The investment of a row of `investments`, without its time of creation."""
    fields = {column.name: getattr(row, column.name) for column in _FIELDS}
    return Investment(**fields | {"status": InvestmentStatus(row.status)})


class InvestmentStore:
    """Investments for writing. Their loan's lock protects them: take it first."""

    def __init__(self, connection: AsyncConnection, tell_use: TellUse) -> None:
        self._connection = connection
        self._tell_use = tell_use

    async def add(self, investment: Investment) -> None:
        """A new investment."""
        await self._connection.execute(investments.insert().values(**asdict(investment)))
        self._tell_use(investment)

    async def get(self, investment_id: UUID) -> Investment:
        """One investment. Raises `InvestmentNotFound`."""
        query = sa.select(*_FIELDS).where(investments.c.id == investment_id)
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            raise InvestmentNotFound("Check the id of the investment.")
        return investment_of(row)

    async def of_loan(self, loan_id: UUID, *statuses: InvestmentStatus) -> Sequence[Investment]:
        """The investments of a loan in one of `statuses`, in the order of their ids."""
        query = (
            sa.select(*_FIELDS)
            .where(investments.c.loan_id == loan_id, investments.c.status.in_(statuses))
            .order_by(investments.c.id)
        )
        return [investment_of(row) for row in await self._connection.execute(query)]

    async def save(self, changed: Iterable[Investment]) -> None:
        """Write investments whose loan is locked."""
        written = list(changed)
        rows = [{f"new_{name}": value for name, value in asdict(investment).items()} for investment in written]
        if not rows:
            return
        mutable = ("status", "outstanding_minor", "principal_minor", "interest_minor", "service_fees_minor", "rejection_code")
        statement = (
            sa.update(investments)
            .where(investments.c.id == sa.bindparam("new_id"))
            .values({name: sa.bindparam(f"new_{name}") for name in mutable})
        )
        await self._connection.execute(statement, rows)
        for investment in written:
            if investment.status in ENDED_INVESTMENTS:
                self._tell_use(investment)
