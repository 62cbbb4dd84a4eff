"""Apply for a loan."""

from dataclasses import dataclass
from uuid import UUID

from services.lending.commands.assess_credit import assess_in
from services.lending.commands.event_facts import loan_facts
from services.lending.context import Context
from services.lending.domain.assessment import Assessment, Financials, heaviest_installment
from services.lending.domain.day_count import DayCount
from services.lending.domain.loan import Loan
from services.lending.domain.loan_state import Surplus
from services.lending.domain.pricing import rate_text
from services.lending.domain.problems import AssessmentRequired, CurrencyMismatch, KycRequired, WalletNotFound
from services.lending.domain.product import LoanProduct, seed_product
from services.lending.domain.terms import Method
from services.lending.store.people import Person, Wallet
from services.lending.store.unit_of_work import UnitOfWork
from shared.contracts.lending.loan_events import LoanSubmitted
from shared.db import eventually
from shared.identity.principal import Principal
from shared.ids import new_id


@dataclass(frozen=True)
class Application:
    """What somebody applies for. `financials` are needed when there is no current assessment in the loan's currency."""

    amount_minor: int
    currency: str
    term_months: int
    purpose: str
    wallet_id: UUID
    method: Method | None
    day_count: DayCount | None
    surplus: Surplus
    financials: Financials | None


async def find_own_wallet(context: Context, principal: Principal, wallet_id: UUID, currency: str) -> Wallet:
    """The caller's wallet. Raises `WalletNotFound`, also for somebody else's, and `CurrencyMismatch`."""

    async def read() -> Wallet | None:
        async with context.read() as reading:
            return await reading.people.wallet(wallet_id)

    wallet = await eventually(read)
    if wallet is None or wallet.user_id != principal.user_id:
        raise WalletNotFound("Use the id of one of your own wallets: GET /v1/wallets lists them.")
    if wallet.currency != currency:
        raise CurrencyMismatch(f"The wallet holds {wallet.currency}, the loan is in {currency}. Use a wallet in {currency}.")
    return wallet


async def require_kyc(context: Context, principal: Principal) -> None:
    """Raises `KycRequired` unless the caller's identity is confirmed; an approval of a moment ago counts."""

    async def approved() -> Person | None:
        async with context.read() as reading:
            person = await reading.people.get(principal.user_id)
        return person if person and person.kyc_status == "approved" else None

    if await eventually(approved) is None:
        raise KycRequired("Hand in your details with POST /v1/kyc, and apply again once they are approved.")


async def apply_for_loan(context: Context, principal: Principal, application: Application, work: UnitOfWork) -> Loan:
    """A submitted loan with its grade and rate, in the caller's transaction.

    Call `require_kyc` and `find_own_wallet` first. Raises `NoProduct`, `AmountOutsideLimits`, `TermOutsideLimits`,
    `MethodNotOffered` and `AssessmentRequired`.
    """
    product = seed_product(application.currency)
    method = application.method or product.methods[0]
    day_count = application.day_count or product.day_counts[0]
    product.check(application.amount_minor, application.term_months, method, day_count)
    assessment = await _assessment(work, principal, application, product)
    loan = Loan(
        id=new_id(),
        borrower_id=principal.user_id,
        wallet_id=application.wallet_id,
        product_code=product.code,
        amount_minor=application.amount_minor,
        currency=application.currency,
        term_months=application.term_months,
        purpose=application.purpose,
        method=method,
        day_count=day_count,
        annual_rate=assessment.annual_rate,
        risk_grade=assessment.grade,
        submitted_at=work.now,
        surplus=application.surplus,
        assessment_id=assessment.id,
    )
    await work.loans.add(loan)
    await work.loans.note(loan.id, "submitted", await work.business_days.today(work.now.date()), work.now)
    work.outbox.publish(
        LoanSubmitted(
            **loan_facts(loan),
            term_months=loan.term_months,
            annual_rate=rate_text(loan.annual_rate),
            risk_grade=loan.risk_grade,
            purpose=loan.purpose,
        ),
        aggregate_id=loan.id,
    )
    return loan


async def _assessment(work: UnitOfWork, principal: Principal, application: Application, product: LoanProduct) -> Assessment:
    if application.financials is not None:
        installment = heaviest_installment(application.amount_minor, application.term_months, product.pricing, work.now)
        return await assess_in(work, principal, application.financials, installment_minor=installment)
    current = await work.assessments.current(principal.user_id, work.now, application.currency)
    if current is None:
        raise AssessmentRequired("Send `financials` with the application: employment_status, annual_income, monthly_obligations.")
    return current
