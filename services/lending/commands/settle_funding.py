"""The ledger has answered about paying a loan out, or about giving its lenders their money back."""

from datetime import date
from uuid import UUID

from services.lending.commands.event_facts import investment_facts, loan_facts
from services.lending.domain.investment import InvestmentStatus
from services.lending.domain.loan import Loan, LoanStatus
from services.lending.domain.servicing import replay
from services.lending.sagas.awaiting import LedgerAnswer
from services.lending.sagas.funding import FUNDING, FundingRound, State
from services.lending.store.unit_of_work import UnitOfWork
from shared.contracts.lending.investment_events import InvestmentActivated, InvestmentReleased
from shared.contracts.lending.loan_events import LoanCancelled, LoanDisbursed
from shared.contracts.wallet_ledger.transaction_events import TransactionRejected


async def settle_funding(work: UnitOfWork, loan_id: UUID, answer: LedgerAnswer) -> None:
    """Move the loan and its investments to what the ledger says. A late or repeated answer changes nothing."""
    loan = await work.loans.lock(loan_id)
    before = await work.sagas.load(FUNDING, loan_id)
    after = await work.advance(FUNDING, loan_id, answer, aggregate_id=loan_id)
    if before is None or after is None or before.state == after.state:
        return
    if after.state is State.PAID_OUT:
        await _paid_out(work, loan, after.data)
    elif after.state is State.RELEASING and isinstance(answer, TransactionRejected):
        await _failed(work, loan, answer)
    elif after.state is State.RELEASED:
        await _released(work, loan)


async def _paid_out(work: UnitOfWork, loan: Loan, parts: FundingRound) -> None:
    today = await work.business_days.today(work.now.date())
    active = loan.activate(today)
    state = replay(active.terms, today, [], today)
    active = active.with_standing(state)
    await work.loans.save(active)
    held = await work.investments.of_loan(loan.id, InvestmentStatus.HELD)
    await work.investments.save(investment.activate() for investment in held)
    await work.loans.note(loan.id, "disbursed", today, work.now, net_amount=parts.net_minor, currency=loan.currency)
    work.outbox.publish(_disbursed(active, parts, today), aggregate_id=loan.id)
    for investment in held:
        work.outbox.publish(InvestmentActivated(**investment_facts(investment)), aggregate_id=loan.id)


def _disbursed(loan: Loan, parts: FundingRound, today: date) -> LoanDisbursed:
    first = replay(loan.terms, today, [], today).installments[0]
    return LoanDisbursed(
        **loan_facts(loan),
        net_amount_minor=parts.net_minor,
        origination_fee_minor=parts.origination_fee_minor,
        reserve_contribution_minor=parts.reserve_contribution_minor,
        disbursed_on=today,
        first_due_on=first.due_on,
        first_due_minor=first.total_minor,
    )


async def _failed(work: UnitOfWork, loan: Loan, answer: TransactionRejected) -> None:
    """The ledger would not pay out: the loan is not made. Its lenders are told once they have their money back."""
    if loan.status is not LoanStatus.DISBURSING:
        return
    await work.loans.save(loan.fail(work.now, f"could not be paid out: {answer.detail}"))
    await work.loans.note(loan.id, "failed", await work.business_days.today(work.now.date()), work.now, code=answer.code)
    work.outbox.publish(
        LoanCancelled(
            **loan_facts(loan),
            reason=f"could not be paid out: {answer.detail}",
        ),
        aggregate_id=loan.id,
    )


async def _released(work: UnitOfWork, loan: Loan) -> None:
    held = await work.investments.of_loan(loan.id, InvestmentStatus.HELD)
    await work.investments.save(investment.release() for investment in held)
    for investment in held:
        work.outbox.publish(InvestmentReleased(**investment_facts(investment)), aggregate_id=loan.id)
