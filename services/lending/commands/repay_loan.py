"""Pay on a loan: an amount, or everything that is owed. One payment of a loan is posted at a time, in their order."""

from dataclasses import replace
from uuid import UUID

from services.lending.commands.event_facts import repayment_facts
from services.lending.domain.investment import InvestmentStatus
from services.lending.domain.loan import Loan, LoanStatus
from services.lending.domain.posting import repayment_movements
from services.lending.domain.problems import LoanNotFound, WrongLoanStatus
from services.lending.domain.product import seed_product
from services.lending.domain.repayment import Repayment, RepaymentKind, RepaymentPlan, plan_repayment
from services.lending.sagas.repayment import REPAYMENT, Share, payment, send_payment
from services.lending.store.people import Wallet
from services.lending.store.unit_of_work import UnitOfWork
from shared.contracts.lending.repayment_events import RepaymentRejected
from shared.identity.principal import Principal
from shared.ids import new_id
from shared.problems import Problem


async def repay_loan(
    work: UnitOfWork, principal: Principal, loan_id: UUID, wallet: Wallet, amount_minor: int | None
) -> Repayment:
    """A repayment of `amount_minor`, or with None a payoff, in the caller's transaction.

    The ledger is asked at once, unless an earlier payment of this loan is still under way. Raises `LoanNotFound`, also
    for another's loan, `WrongLoanStatus` for one that is not active, `NothingOwed` and `RepaymentTooLarge`.
    """
    loan = await lock_own_loan(work, principal, loan_id)
    if loan.status is not LoanStatus.ACTIVE:
        raise WrongLoanStatus(f"The loan is {loan.status}; only an active loan takes repayments.")
    repayment = Repayment(
        id=new_id(),
        loan_id=loan.id,
        payer_id=principal.user_id,
        wallet_id=wallet.wallet_id,
        kind=RepaymentKind.PAYOFF if amount_minor is None else RepaymentKind.REPAYMENT,
        amount_minor=amount_minor or 0,
        currency=loan.currency,
    )
    plan = await _plan(work, loan, repayment)
    await work.repayments.add(replace(repayment, amount_minor=plan.parts.total_minor))
    await post_next(work, loan)
    return await work.repayments.get(repayment.id)


async def lock_own_loan(work: UnitOfWork, principal: Principal, loan_id: UUID) -> Loan:
    """The caller's own loan, locked. Raises `LoanNotFound`, also for another's."""
    loan = await work.loans.lock(loan_id)
    if loan.borrower_id != principal.user_id:
        raise LoanNotFound("Check the id of the loan.")
    return loan


async def post_next(work: UnitOfWork, loan: Loan) -> None:
    """Send the loan's next payment to the ledger, if one waits and none is under way; needs the loan's lock.

    One that no longer fits (the payment before it left less to pay) is rejected, and the one after it has its turn.
    """
    while repayment := await work.repayments.next_waiting(loan.id):
        try:
            plan = await _plan(work, loan, repayment)
        except Problem as problem:
            await work.repayments.save(repayment.reject(problem.code, problem.detail))
            work.outbox.publish(
                RepaymentRejected(**repayment_facts(repayment), code=problem.code, reason=problem.detail), aggregate_id=loan.id
            )
            continue
        await _post(work, loan, repayment, plan)
        return


async def _plan(work: UnitOfWork, loan: Loan, repayment: Repayment) -> RepaymentPlan:
    assert loan.disbursed_on is not None  # noqa: S101 it is active
    return plan_repayment(
        repayment,
        loan.terms,
        loan.disbursed_on,
        await work.repayments.history(loan.id, loan.surplus),
        await work.investments.of_loan(loan.id, InvestmentStatus.ACTIVE),
        seed_product(loan.currency),
        loan.surplus,
        await work.business_days.today(work.now.date()),
    )


async def _post(work: UnitOfWork, loan: Loan, repayment: Repayment, plan: RepaymentPlan) -> None:
    await work.repayments.save(repayment.post(plan, await work.repayments.next_position(loan.id)))
    investments = await work.investments.of_loan(loan.id, InvestmentStatus.ACTIVE)
    wallets = {investment.id: investment.wallet_id for investment in investments}
    movements = repayment_movements(loan.id, loan.currency, repayment.wallet_id, plan.parts, plan.shares, wallets)
    shares = [
        Share(
            investment_id=share.funding_id,
            principal_minor=share.principal_minor,
            interest_minor=share.interest_minor,
            service_fee_minor=share.service_fee_minor,
        )
        for share in plan.shares
    ]
    data = payment(repayment.id, loan.id, loan.currency, movements, shares)
    await work.begin(REPAYMENT.begin(repayment.id, data, work.now), send_payment(data), aggregate_id=loan.id)
