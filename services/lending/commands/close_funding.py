"""End a funding round without a loan: cancelled by the borrower, or past its deadline. Lenders get their money back."""

from datetime import datetime
from uuid import UUID

from services.lending.commands.event_facts import loan_facts
from services.lending.context import Context
from services.lending.domain.investment import InvestmentStatus
from services.lending.domain.loan import Loan, LoanStatus
from services.lending.domain.problems import LoanNotFound
from services.lending.sagas.funding import FUNDING
from services.lending.sagas.investment import INVESTMENT
from services.lending.store.unit_of_work import UnitOfWork
from shared.contracts.lending.loan_events import LoanCancelled, LoanExpired
from shared.identity.principal import Principal
from shared.sagas import DEADLINE_PASSED, Cause


async def cancel_loan(context: Context, principal: Principal, loan_id: UUID) -> Loan:
    """The borrower takes the application back. Raises `LoanNotFound`, also for another's loan, and `WrongLoanStatus`."""
    async with context.unit_of_work() as work:
        loan = await work.loans.lock(loan_id)
        if loan.borrower_id != principal.user_id:
            raise LoanNotFound("Check the id of the loan.")
        was_open = loan.status is LoanStatus.FUNDING
        cancelled = loan.cancel(work.now, "cancelled by the borrower")
        await work.loans.save(cancelled)
        event = LoanCancelled(**loan_facts(loan), reason="cancelled by the borrower")
        work.outbox.publish(event, aggregate_id=loan.id)
        await work.loans.note(loan.id, "cancelled", await work.business_days.today(work.now.date()), work.now)
        if was_open:
            await _release(work, loan, event, event)
    return cancelled


async def expire_loan(work: UnitOfWork, loan_id: UUID, at: datetime) -> bool:
    """The deadline of a loan's round has passed by `at`, on the business calendar. False when the round had ended otherwise."""
    loan = await work.loans.lock(loan_id)
    if loan.status is not LoanStatus.FUNDING or loan.funding_ends_at is None or at < loan.funding_ends_at:
        return False
    await work.loans.save(loan.expire(at))
    event = LoanExpired(**loan_facts(loan))
    work.outbox.publish(event, aggregate_id=loan.id)
    await work.loans.note(loan.id, "expired", at.date(), work.now)
    await _release(work, loan, event, DEADLINE_PASSED)
    return True


async def _release(work: UnitOfWork, loan: Loan, event: LoanCancelled | LoanExpired, cause: Cause) -> None:
    """Holds that are still being placed are abandoned one by one; those that are placed are voided as a group."""
    for investment in await work.investments.of_loan(loan.id, InvestmentStatus.PENDING):
        await work.advance(INVESTMENT, investment.id, event, aggregate_id=loan.id)
    await work.advance(FUNDING, loan.id, cause, aggregate_id=loan.id)
