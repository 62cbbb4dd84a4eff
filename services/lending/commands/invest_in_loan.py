"""Put money into a loan that is being funded."""

from dataclasses import dataclass
from uuid import UUID

from services.lending.domain.funding import accepted_amount
from services.lending.domain.investment import Investment
from services.lending.domain.loan import LoanStatus
from services.lending.domain.problems import FundingClosed, LoanNotFound, OwnLoan
from services.lending.domain.product import seed_product
from services.lending.sagas.investment import INVESTMENT, reservation, send_hold
from services.lending.store.business_time import business_now
from services.lending.store.people import Wallet
from services.lending.store.unit_of_work import UnitOfWork
from shared.identity.principal import Principal
from shared.ids import new_id


@dataclass(frozen=True)
class Offer:
    """How much; with `allow_less`, whatever the loan still needs when that is less."""

    amount_minor: int
    allow_less: bool = False


async def invest_in_loan(work: UnitOfWork, principal: Principal, loan_id: UUID, wallet: Wallet, offer: Offer) -> Investment:
    """A pending investment, in the caller's transaction; the ledger is asked to hold the money.

    Raises `LoanNotFound` for a loan that is not listed, `FundingClosed` for one that is no longer open,
    `FundingGoalExceeded`, `InvestmentTooSmall` and `OwnLoan`.
    """
    loan = await work.loans.lock(loan_id)
    if loan.funding_ends_at is None:
        raise LoanNotFound("Check the id of the loan.")
    if loan.borrower_id == principal.user_id:
        raise OwnLoan("Choose another loan: GET /v1/loans?status=funding lists those that are open.")
    if loan.status is not LoanStatus.FUNDING or not loan.remaining_minor:
        raise FundingClosed("This loan takes no more money. GET /v1/loans?status=funding lists those that do.")
    minimum_minor = seed_product(loan.currency).minimum_investment_in(loan.amount_minor)
    amount_minor = accepted_amount(offer.amount_minor, loan.remaining_minor, minimum_minor, may_cut=offer.allow_less)
    pledged = loan.pledge(amount_minor, await business_now(work.business_days, work.now))
    await work.loans.save(pledged)
    investment = Investment(
        id=new_id(),
        loan_id=loan.id,
        lender_id=principal.user_id,
        wallet_id=wallet.wallet_id,
        amount_minor=amount_minor,
        currency=loan.currency,
    )
    await work.investments.add(investment)
    data = reservation(investment.id, loan.id, wallet.wallet_id, amount_minor, loan.currency)
    await work.begin(INVESTMENT.begin(investment.id, data, work.now), send_hold(data), aggregate_id=loan.id)
    return investment
