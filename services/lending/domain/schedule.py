"""The schedule of a loan: what falls due when, if everything is paid on its due date."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR

from services.lending.domain.plan import Plan, make_plan
from services.lending.domain.terms import LoanTerms


@dataclass(frozen=True, slots=True)
class ScheduledInstallment:
    """`outstanding_minor` is the principal left after this installment."""

    number: int
    due_on: date
    principal_minor: int
    interest_minor: int
    outstanding_minor: int

    @property
    def total_minor(self) -> int:
        return self.principal_minor + self.interest_minor


def build_schedule(terms: LoanTerms, disbursed_on: date) -> tuple[ScheduledInstallment, ...]:
    """The installments of a loan: as many as its term, principal summing to the amount lent, none of it negative.

    Raises `InvalidTerms`.
    """
    return amortise(choose_plan(terms, disbursed_on))


def choose_plan(terms: LoanTerms, disbursed_on: date) -> Plan:
    """The plan with installments rounded to the nearest, or down where that would end the loan before its term."""
    nearest = make_plan(terms, disbursed_on)
    if not _ends_early(nearest):
        return nearest
    lower = make_plan(terms, disbursed_on, ROUND_FLOOR)
    return nearest if _ends_early(lower) else lower


def amortise(plan: Plan) -> tuple[ScheduledInstallment, ...]:
    """Run the plan down: interest on the balance of each period, principal as the installment's target says."""
    balance, accrued = plan.terms.principal_minor, 0
    installments = []
    for index, (period, target) in enumerate(zip(plan.periods, plan.targets, strict=True)):
        accrued += plan.interest_minor(index, balance)
        if index == plan.last:
            interest, principal = accrued, balance
        else:
            interest, principal = target.split(0 if index < plan.terms.interest_grace else accrued)
            principal = min(principal, balance)
        accrued -= interest
        balance -= principal
        installments.append(ScheduledInstallment(index + 1, period.ends_on, principal, interest, balance))
    return tuple(installments)


def _ends_early(plan: Plan) -> bool:
    return plan.last > 0 and amortise(plan)[-2].outstanding_minor == 0
