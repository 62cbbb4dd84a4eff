"""The ledger has answered about a repayment."""

from datetime import date
from uuid import UUID

from services.lending.commands.event_facts import investment_facts, loan_facts, repayment_facts
from services.lending.commands.repay_loan import post_next
from services.lending.domain.distribution import LenderShare
from services.lending.domain.investment import Investment, InvestmentStatus
from services.lending.domain.loan import Loan
from services.lending.domain.loan_state import LoanState, latest_day
from services.lending.domain.repayment import Repayment, RepaymentStatus
from services.lending.domain.servicing import replay
from services.lending.sagas.awaiting import LedgerAnswer
from services.lending.sagas.repayment import REPAYMENT, Share
from services.lending.store.unit_of_work import UnitOfWork
from shared.contracts.lending.investment_events import InvestmentPaid
from shared.contracts.lending.loan_events import LoanRepaid
from shared.contracts.lending.repayment_events import RepaymentCompleted, RepaymentRejected
from shared.contracts.wallet_ledger.transaction_events import TransactionRejected


async def settle_repayment(work: UnitOfWork, repayment_id: UUID, answer: LedgerAnswer) -> None:
    """Book the repayment, or note that it was refused, and let the next one have its turn. A repeated answer changes nothing."""
    loan = await work.loans.lock((await work.repayments.get(repayment_id)).loan_id)
    repayment = await work.repayments.get(repayment_id)
    saga = await work.advance(REPAYMENT, repayment_id, answer, aggregate_id=loan.id)
    if saga is None or repayment.status is not RepaymentStatus.POSTING:
        return
    if isinstance(answer, TransactionRejected):
        await work.repayments.save(repayment.reject(answer.code, answer.detail))
        work.outbox.publish(
            RepaymentRejected(**repayment_facts(repayment), code=answer.code, reason=answer.detail), aggregate_id=loan.id
        )
        # A close of business in the meantime has counted on it.
        loan = loan.with_standing(await _stands(work, loan))
        await work.loans.save(loan)
    else:
        await work.repayments.save(repayment.complete())
        loan = await _book(work, loan, repayment, saga.data.shares)
    await post_next(work, loan)


async def _book(work: UnitOfWork, loan: Loan, repayment: Repayment, saga_shares: tuple[Share, ...]) -> Loan:
    shares = {
        share.investment_id: LenderShare(
            share.investment_id, share.principal_minor, share.interest_minor, share.service_fee_minor
        )
        for share in saga_shares
    }
    await work.repayments.add_shares(repayment.id, shares.values())
    state = await _stands(work, loan)
    paid = [
        investment.receive(shares[investment.id])
        for investment in await work.investments.of_loan(loan.id, InvestmentStatus.ACTIVE)
    ]
    await work.investments.save(investment.complete() if state.is_repaid else investment for investment in paid)
    booked = loan.repay(work.now) if state.is_repaid else loan.with_standing(state)
    await work.loans.save(booked)
    paid_on = repayment.paid_on or state.as_of
    await work.loans.note(
        loan.id, "repayment", paid_on, work.now,
        amount=repayment.amount_minor, principal=repayment.principal_minor, interest=repayment.interest_minor,
        fees=repayment.fees_minor, currency=loan.currency,
    )  # fmt: skip
    if state.is_repaid:
        await work.loans.note(loan.id, "repaid", paid_on, work.now)
    _tell(work, booked, repayment, state, paid_on, paid, shares)
    return booked


async def _stands(work: UnitOfWork, loan: Loan) -> LoanState:
    """How an active loan stands today, after every payment that is booked."""
    assert loan.disbursed_on is not None  # noqa: S101 it is active
    history = await work.repayments.history(loan.id, loan.surplus)
    today = await work.business_days.today(work.now.date())
    return replay(loan.terms, loan.disbursed_on, history, latest_day(history, today))


def _tell(
    work: UnitOfWork,
    loan: Loan,
    repayment: Repayment,
    state: LoanState,
    paid_on: date,
    paid: list[Investment],
    shares: dict[UUID, LenderShare],
) -> None:
    work.outbox.publish(
        RepaymentCompleted(
            **repayment_facts(repayment),
            principal_minor=repayment.principal_minor,
            interest_minor=repayment.interest_minor,
            fees_minor=repayment.fees_minor,
            outstanding_principal_minor=state.outstanding_principal_minor,
            paid_on=paid_on,
        ),
        aggregate_id=loan.id,
    )
    for investment in paid:
        share = shares[investment.id]
        if share.net_minor:
            work.outbox.publish(
                InvestmentPaid(
                    **investment_facts(investment),
                    repayment_id=repayment.id,
                    principal_minor=share.principal_minor,
                    interest_minor=share.interest_minor,
                    service_fee_minor=share.service_fee_minor,
                ),
                aggregate_id=loan.id,
            )
    if state.is_repaid:
        work.outbox.publish(LoanRepaid(**loan_facts(loan), repaid_on=paid_on), aggregate_id=loan.id)
