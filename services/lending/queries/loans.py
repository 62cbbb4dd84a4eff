"""Loans as people may see them: their own, those that are open to lenders, those they lent to; operators see all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lending.context import Context
from services.lending.domain.investment import InvestmentStatus
from services.lending.domain.loan import Loan, LoanStatus
from services.lending.domain.loan_state import InstallmentState
from services.lending.domain.payoff import Payoff, pay_off
from services.lending.domain.problems import LoanNotFound, WrongLoanStatus
from services.lending.domain.servicing import replay
from services.lending.store.loans import loan_of
from services.lending.store.tables import investments, loan_events, loans
from shared.http.paging import PageRequest
from shared.identity.principal import Principal

_LISTED = (LoanStatus.FUNDING,)


@dataclass(frozen=True)
class LoanFilter:
    """What a list of loans is narrowed to."""

    status: LoanStatus | None = None
    risk_grade: str | None = None
    currency: str | None = None
    mine: bool = False


def may_see_all(principal: Principal) -> bool:
    """Whether the caller is one of the operators."""
    return principal.has_role("admin", "support")


def _visible(principal: Principal) -> sa.ColumnElement[bool]:
    invested = sa.exists().where(
        investments.c.loan_id == loans.c.id,
        investments.c.lender_id == principal.user_id,
        investments.c.status != InvestmentStatus.REJECTED,
    )
    return sa.or_(loans.c.borrower_id == principal.user_id, loans.c.status.in_(_LISTED), invested)


async def list_loans(context: Context, principal: Principal, wanted: LoanFilter, page: PageRequest) -> Sequence[Loan]:
    """Up to one more than a page, newest first."""
    query = sa.select(loans)
    if wanted.mine:
        query = query.where(loans.c.borrower_id == principal.user_id)
    elif not may_see_all(principal):
        query = query.where(_visible(principal))
    for column, value in (
        (loans.c.status, wanted.status),
        (loans.c.risk_grade, wanted.risk_grade),
        (loans.c.currency, wanted.currency),
    ):
        if value is not None:
            query = query.where(column == value)
    if page.after:
        query = query.where(loans.c.id < page.after)
    async with context.read() as reading:
        rows = await reading.connection.execute(query.order_by(loans.c.id.desc()).limit(page.fetch))
        return [loan_of(row) for row in rows]


async def get_loan(context: Context, principal: Principal, loan_id: UUID) -> Loan:
    """One loan. Raises `LoanNotFound`, also for one that is not the caller's to see."""
    async with context.read() as reading:
        return await _seen(reading.connection, principal, loan_id)


async def _seen(connection: AsyncConnection, principal: Principal, loan_id: UUID) -> Loan:
    query = sa.select(loans).where(loans.c.id == loan_id)
    if not may_see_all(principal):
        query = query.where(_visible(principal))
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise LoanNotFound("Check the id of the loan.")
    return loan_of(row)


async def get_own_loan(context: Context, principal: Principal, loan_id: UUID) -> Loan:
    """A loan that the caller borrows, or any for operators. Raises `LoanNotFound`."""
    loan = await get_loan(context, principal, loan_id)
    if loan.borrower_id != principal.user_id and not may_see_all(principal):
        raise LoanNotFound("Check the id of the loan.")
    return loan


async def find_listed(context: Context, loan_id: UUID) -> Loan:
    """A loan that is, or was, open to lenders. Raises `LoanNotFound` for one that never was."""
    query = sa.select(loans).where(loans.c.id == loan_id, loans.c.funding_ends_at.is_not(None))
    async with context.read() as reading:
        row = (await reading.connection.execute(query)).one_or_none()
    if row is None:
        raise LoanNotFound("Check the id of the loan.")
    return loan_of(row)


async def get_schedule(context: Context, principal: Principal, loan_id: UUID) -> Sequence[InstallmentState]:
    """The installments as they stand today; before the payout, as they would be if it were today."""
    async with context.read() as reading:
        loan = await _seen(reading.connection, principal, loan_id)
        today = await reading.business_days.today(context.clock.now().date())
        if loan.disbursed_on is None:
            return replay(loan.terms, today, [], today).installments
        history = await reading.repayments.history(loan.id, loan.surplus)
        return replay(loan.terms, loan.disbursed_on, history, today).installments


async def get_payoff(context: Context, principal: Principal, loan_id: UUID, on: date | None) -> Payoff:
    """What settles the borrower's own loan on a day, today or later. Raises `LoanNotFound`, `WrongLoanStatus`, `NothingOwed`."""
    async with context.read() as reading:
        loan = await _seen(reading.connection, principal, loan_id)
        if loan.borrower_id != principal.user_id and not may_see_all(principal):
            raise LoanNotFound("Check the id of the loan.")
        if loan.status is not LoanStatus.ACTIVE or loan.disbursed_on is None:
            raise WrongLoanStatus(f"The loan is {loan.status}; only an active loan can be paid off.")
        today = await reading.business_days.today(context.clock.now().date())
        history = await reading.repayments.history(loan.id, loan.surplus)
        return pay_off(loan.terms, loan.disbursed_on, history, max(on or today, today))


@dataclass(frozen=True)
class LoanEvent:
    """Something that happened to a loan."""

    id: UUID
    type: str
    business_date: date
    data: dict[str, Any]
    occurred_at: datetime


async def list_loan_events(context: Context, principal: Principal, loan_id: UUID, page: PageRequest) -> Sequence[LoanEvent]:
    """Up to one more than a page of what happened, newest first; to its borrower and to operators."""
    async with context.read() as reading:
        loan = await _seen(reading.connection, principal, loan_id)
        if loan.borrower_id != principal.user_id and not may_see_all(principal):
            raise LoanNotFound("Check the id of the loan.")
        query = sa.select(
            loan_events.c.id, loan_events.c.type, loan_events.c.business_date, loan_events.c.data, loan_events.c.occurred_at
        ).where(loan_events.c.loan_id == loan_id)
        if page.after:
            query = query.where(loan_events.c.id < page.after)
        rows = await reading.connection.execute(query.order_by(loan_events.c.id.desc()).limit(page.fetch))
        return [_event(row, principal) for row in rows]


def _event(row: Any, principal: Principal) -> LoanEvent:
    data = row.data if may_see_all(principal) else {key: value for key, value in row.data.items() if key != "decided_by"}
    return LoanEvent(row.id, row.type, row.business_date, data, row.occurred_at)
