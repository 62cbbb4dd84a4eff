"""The ledger has answered about one lender's hold."""

from uuid import UUID

from services.lending.commands.event_facts import investment_facts, loan_facts
from services.lending.domain.investment import Investment, InvestmentStatus
from services.lending.domain.loan import Loan, LoanStatus
from services.lending.sagas.awaiting import LedgerAnswer
from services.lending.sagas.funding import FUNDING
from services.lending.sagas.investment import INVESTMENT, State
from services.lending.store.unit_of_work import UnitOfWork
from shared.contracts.lending.investment_events import InvestmentHeld, InvestmentRejected, InvestmentReleased
from shared.contracts.lending.loan_events import LoanFunded
from shared.contracts.wallet_ledger.transaction_events import TransactionRejected


async def settle_investment(work: UnitOfWork, investment_id: UUID, answer: LedgerAnswer) -> None:
    """Move the investment, and its loan with it, to what the ledger says. A late or repeated answer changes nothing."""
    loan = await work.loans.lock((await work.investments.get(investment_id)).loan_id)
    investment = await work.investments.get(investment_id)
    saga = await work.advance(INVESTMENT, investment_id, answer, aggregate_id=loan.id)
    if saga is None or investment.status is not InvestmentStatus.PENDING:
        return
    if saga.state is State.HELD:
        await _held(work, loan, investment)
    elif saga.state is State.REJECTED:
        await _rejected(work, loan, investment, answer)
    elif saga.state is State.RELEASED:
        await work.investments.save([investment.release()])
        work.outbox.publish(InvestmentReleased(**investment_facts(investment)), aggregate_id=loan.id)


async def _held(work: UnitOfWork, loan: Loan, investment: Investment) -> None:
    funded = loan.confirm_pledge(investment.amount_minor)
    await work.loans.save(funded)
    await work.investments.save([investment.hold()])
    work.outbox.publish(InvestmentHeld(**investment_facts(investment)), aggregate_id=loan.id)
    if funded.status is LoanStatus.DISBURSING:
        event = LoanFunded(
            **loan_facts(loan),
        )
        work.outbox.publish(event, aggregate_id=loan.id)
        await work.loans.note(loan.id, "funded", await work.business_days.today(work.now.date()), work.now)
        await work.advance(FUNDING, loan.id, event, aggregate_id=loan.id)


async def _rejected(work: UnitOfWork, loan: Loan, investment: Investment, answer: LedgerAnswer) -> None:
    assert isinstance(answer, TransactionRejected)  # noqa: S101 the saga goes there on no other answer
    await work.investments.save([investment.reject(answer.code)])
    if loan.status is LoanStatus.FUNDING:
        await work.loans.save(loan.drop_pledge(investment.amount_minor))
    work.outbox.publish(
        InvestmentRejected(**investment_facts(investment), code=answer.code, reason=answer.detail), aggregate_id=loan.id
    )
