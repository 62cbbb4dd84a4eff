"""One payment of a borrower on a loan, and what it does."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from uuid import UUID

from services.lending.domain.allocation import Parts
from services.lending.domain.distribution import LenderShare, distribute
from services.lending.domain.investment import Investment
from services.lending.domain.loan_state import Charge, LoanState, Payment, Surplus, latest_day
from services.lending.domain.problems import NothingOwed, RepaymentTooLarge
from services.lending.domain.product import LoanProduct
from services.lending.domain.servicing import replay
from services.lending.domain.terms import LoanTerms
from shared.money import format_minor


class RepaymentStatus(StrEnum):
    """`pending` (waiting for the one before) → `posting` (the ledger is asked) → completed / rejected."""

    PENDING = "pending"
    POSTING = "posting"
    COMPLETED = "completed"
    REJECTED = "rejected"


class RepaymentKind(StrEnum):
    """A payoff pays everything that is owed on the day that it is posted, whatever that is by then."""

    REPAYMENT = "repayment"
    PAYOFF = "payoff"


@dataclass(frozen=True, slots=True)
class Repayment:
    """`paid_on` is the business date that it counts for, `position` its place in the loan's history, and the parts are what
    it settles, all once it is posted.
    """

    id: UUID
    loan_id: UUID
    payer_id: UUID
    wallet_id: UUID
    kind: RepaymentKind
    amount_minor: int
    currency: str
    status: RepaymentStatus = RepaymentStatus.PENDING
    paid_on: date | None = None
    position: int | None = None
    principal_minor: int = 0
    interest_minor: int = 0
    fees_minor: int = 0
    rejection_code: str | None = None
    rejection_detail: str | None = None

    def post(self, plan: "RepaymentPlan", position: int) -> "Repayment":
        """The ledger is asked to do what `plan` says."""
        return replace(
            self,
            status=RepaymentStatus.POSTING,
            paid_on=plan.after.as_of,
            position=position,
            amount_minor=plan.parts.total_minor,
            principal_minor=plan.parts.principal_minor,
            interest_minor=plan.parts.interest_minor,
            fees_minor=plan.parts.fee_minor + plan.parts.penalty_minor,
        )

    def complete(self) -> "Repayment":
        """The money has moved."""
        return replace(self, status=RepaymentStatus.COMPLETED)

    def reject(self, code: str, detail: str) -> "Repayment":
        """The money has not moved, and will not."""
        return replace(
            self,
            status=RepaymentStatus.REJECTED,
            rejection_code=code,
            rejection_detail=detail,
            paid_on=None,
            principal_minor=0,
            interest_minor=0,
            fees_minor=0,
        )


@dataclass(frozen=True, slots=True)
class RepaymentPlan:
    """What a payment settles, what every lender gets of it, and the loan afterwards."""

    parts: Parts
    shares: tuple[LenderShare, ...]
    after: LoanState


def plan_repayment(
    repayment: Repayment,
    terms: LoanTerms,
    disbursed_on: date,
    history: Sequence[Payment | Charge],
    investments: Sequence[Investment],
    product: LoanProduct,
    surplus: Surplus,
    on: date,
) -> RepaymentPlan:
    """What the payment does when it is made on `on`, or on the last day of the history when that is later.

    Paying ahead, the installments to come are shown with interest that has not accrued yet: who pays as much as is shown
    pays only what is owed. Raises `NothingOwed` when the loan is repaid, and `RepaymentTooLarge` for more than is shown.
    """
    on = latest_day(history, on)
    before = replay(terms, disbursed_on, history, on)
    if before.is_repaid:
        raise NothingOwed
    owed_minor = before.payoff.total_minor
    shown_minor = max(owed_minor, sum(installment.unpaid_minor for installment in before.installments))
    is_payoff = repayment.kind is RepaymentKind.PAYOFF
    if not is_payoff and repayment.amount_minor > shown_minor:
        owed = f"{repayment.currency} {format_minor(owed_minor, repayment.currency)}"
        raise RepaymentTooLarge(f"Everything that is owed today is {owed}. Pay that or less.")
    amount_minor = owed_minor if is_payoff else min(repayment.amount_minor, owed_minor)
    after = replay(terms, disbursed_on, [*history, Payment(on, amount_minor, surplus)], on)
    applied = after.payments[-1]
    parts = applied.parts
    shares = distribute(
        parts.principal_minor,
        parts.interest_minor,
        [investment.holding for investment in investments],
        product.service_fee_rate,
    )
    return RepaymentPlan(parts, tuple(shares), after)
