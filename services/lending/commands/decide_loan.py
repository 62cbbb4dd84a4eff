"""An administrator approves or declines an application."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from services.lending.commands.event_facts import loan_facts
from services.lending.context import Context
from services.lending.domain.disbursement import break_down
from services.lending.domain.loan import Loan
from services.lending.domain.pricing import rate_text
from services.lending.domain.product import seed_product
from services.lending.sagas.funding import FUNDING, FundingRound
from services.lending.store.business_time import business_now
from shared.contracts.lending.loan_events import LoanApproved, LoanDeclined
from shared.identity.principal import Principal
from shared.problems import Forbidden


async def approve_loan(
    context: Context, principal: Principal, loan_id: UUID, *, annual_rate: Decimal | None, funding_days: int | None
) -> Loan:
    """Open the loan to lenders, at its grade's rate and for its product's time unless told otherwise.

    Raises `LoanNotFound`, and `WrongLoanStatus` when it was decided before.
    """
    async with context.unit_of_work() as work:
        submitted = await work.loans.lock(loan_id)
        _require_another(principal, submitted)
        product = seed_product(submitted.currency)
        at = await business_now(work.business_days, work.now)
        loan = submitted.approve(at, funding_days or product.funding_days, annual_rate)
        assert loan.funding_ends_at is not None  # noqa: S101
        await work.loans.save(loan)
        parts = break_down(loan.amount_minor, product.origination_fee_rate, product.reserve_rate)
        saga = FUNDING.begin(
            loan.id,
            FundingRound(
                loan_id=loan.id,
                borrower_wallet_id=loan.wallet_id,
                currency=loan.currency,
                net_minor=parts.net_minor,
                origination_fee_minor=parts.origination_fee_minor,
                reserve_contribution_minor=parts.reserve_contribution_minor,
            ),
            work.now,
        )
        await work.sagas.add(replace(saga, deadline_at=loan.funding_ends_at))
        await work.loans.note(
            loan.id, "approved", at.date(), work.now, annual_rate=rate_text(loan.annual_rate), decided_by=str(principal.user_id)
        )
        work.outbox.publish(
            LoanApproved(
                **loan_facts(loan),
                term_months=loan.term_months,
                annual_rate=rate_text(loan.annual_rate),
                risk_grade=loan.risk_grade,
                purpose=loan.purpose,
                funding_ends_at=loan.funding_ends_at,
            ),
            aggregate_id=loan.id,
        )
        work.publish_action(
            "loan.approved",
            actor=principal,
            subject_id=loan.id,
            before={"status": submitted.status.value, "annual_rate": rate_text(submitted.annual_rate)},
            after={
                "status": loan.status.value,
                "annual_rate": rate_text(loan.annual_rate),
                "funding_ends_at": loan.funding_ends_at.isoformat(),
            },
        )
    return loan


async def decline_loan(context: Context, principal: Principal, loan_id: UUID, reason: str) -> Loan:
    """Refuse the application. Raises `LoanNotFound`, and `WrongLoanStatus` when it was decided before."""
    async with context.unit_of_work() as work:
        submitted = await work.loans.lock(loan_id)
        _require_another(principal, submitted)
        loan = submitted.decline(work.now, reason)
        await work.loans.save(loan)
        today = await work.business_days.today(work.now.date())
        await work.loans.note(loan.id, "declined", today, work.now, reason=reason, decided_by=str(principal.user_id))
        work.outbox.publish(
            LoanDeclined(
                **loan_facts(loan),
                reason=reason,
            ),
            aggregate_id=loan.id,
        )
        work.publish_action(
            "loan.declined",
            actor=principal,
            subject_id=loan.id,
            before={"status": submitted.status.value},
            after={"status": loan.status.value, "reason": reason},
        )
    return loan


def _require_another(principal: Principal, loan: Loan) -> None:
    if principal.user_id == loan.borrower_id:
        raise Forbidden("Nobody decides on their own loan. Ask another administrator.")
