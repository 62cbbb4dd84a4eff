"""What happened to a loan, and how it stands on a day: the input and the output of a replay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.lending.domain.allocation import Allocation, Parts


class Surplus(StrEnum):
    """What becomes of money beyond what is due today, as the borrower chose.

    `next_installment`: the coming installments are paid in advance. `shorten`: principal is paid back from the last
    installment backwards. `lower`: principal is paid back and all coming installments become smaller.
    """

    NEXT_INSTALLMENT = "next_installment"
    SHORTEN = "shorten"
    LOWER = "lower"


@dataclass(frozen=True, slots=True)
class Payment:
    """Money from the borrower."""

    paid_on: date
    amount_minor: int
    surplus: Surplus = Surplus.NEXT_INSTALLMENT

    @property
    def on(self) -> date:
        return self.paid_on


class ChargeKind(StrEnum):
    """A penalty is settled before a fee."""

    PENALTY = "penalty"
    FEE = "fee"


@dataclass(frozen=True, slots=True)
class Charge:
    """A late fee (a penalty) or another fee, added to installment `number` on a day."""

    number: int
    charged_on: date
    amount_minor: int
    kind: ChargeKind = ChargeKind.PENALTY

    @property
    def on(self) -> date:
        return self.charged_on


def latest_day(history: Sequence[Payment | Charge], day: date) -> date:
    """`day`, or the last day of the history when that is later: what is recorded next never comes before what is there.

    Recorded in between, it would change what earlier payments settled, after that money has reached the lenders.
    """
    return max([day, *(entry.on for entry in history)])


class InstallmentStatus(StrEnum):
    """`partial` is an installment to come of which something is paid."""

    PAID = "paid"
    OVERDUE = "overdue"
    DUE = "due"
    PARTIAL = "partial"
    UPCOMING = "upcoming"


@dataclass(frozen=True, slots=True)
class InstallmentState:
    """One installment. Those to come show what they will be if everything is paid on its due date from now on.

    `due` is what the installment is made of, `paid` what is settled of it, `outstanding_minor` the principal that the
    schedule leaves after it. `paid_on` is the day on which nothing of it was left to pay.
    """

    number: int
    due_on: date
    due: Parts
    paid: Parts
    outstanding_minor: int
    status: InstallmentStatus
    paid_on: date | None

    @property
    def principal_minor(self) -> int:
        return self.due.principal_minor

    @property
    def interest_minor(self) -> int:
        return self.due.interest_minor

    @property
    def fees_minor(self) -> int:
        return self.due.fee_minor

    @property
    def penalty_minor(self) -> int:
        return self.due.penalty_minor

    @property
    def total_minor(self) -> int:
        return self.due.total_minor

    @property
    def paid_minor(self) -> int:
        return self.paid.total_minor

    @property
    def unpaid(self) -> Parts:
        return self.due - self.paid

    @property
    def unpaid_minor(self) -> int:
        return self.due.total_minor - self.paid.total_minor


@dataclass(frozen=True, slots=True)
class AppliedPayment:
    """What a payment settled, in all and per installment; `excess_minor` found nothing to settle."""

    payment: Payment
    allocations: tuple[Allocation, ...]
    excess_minor: int

    @property
    def parts(self) -> Parts:
        total = Parts()
        for allocation in self.allocations:
            total += allocation.parts
        return total


@dataclass(frozen=True, slots=True)
class LoanState:
    """A loan as it stands at the end of `as_of`.

    `outstanding_principal_minor` is what the borrower really still has of the money. `accrued_interest_minor` is all
    interest up to `as_of`, overdue or not yet due, that is not paid; `interest_since_maturity_minor` is the part of it
    that ran after the last due date and is in no installment yet. `payments` are in the order of their days.
    """

    as_of: date
    installments: tuple[InstallmentState, ...]
    outstanding_principal_minor: int
    accrued_interest_minor: int
    interest_since_maturity_minor: int
    payments: tuple[AppliedPayment, ...]

    @property
    def unpaid_fees_minor(self) -> int:
        return sum(installment.unpaid.fee_minor for installment in self.installments)

    @property
    def unpaid_penalties_minor(self) -> int:
        return sum(installment.unpaid.penalty_minor for installment in self.installments)

    @property
    def payoff(self) -> Parts:
        """Everything that must be paid on `as_of` for nothing to be owed any more."""
        return Parts(
            self.unpaid_penalties_minor,
            self.unpaid_fees_minor,
            self.accrued_interest_minor,
            self.outstanding_principal_minor,
        )

    @property
    def is_repaid(self) -> bool:
        return self.payoff.total_minor == 0

    @property
    def next_due(self) -> InstallmentState | None:
        """The oldest installment of which something is unpaid, overdue or not."""
        return next((installment for installment in self.installments if installment.unpaid_minor > 0), None)

    @property
    def due_minor(self) -> int:
        """What has fallen due until and including `as_of` and is unpaid; after maturity all that is owed."""
        due = sum(installment.unpaid_minor for installment in self.installments if installment.due_on <= self.as_of)
        return due + self.interest_since_maturity_minor

    @property
    def overdue_minor(self) -> int:
        """What fell due before `as_of` and is unpaid; after maturity all that is owed."""
        overdue = sum(installment.unpaid_minor for installment in self.installments if installment.due_on < self.as_of)
        return overdue + self.interest_since_maturity_minor

    @property
    def days_past_due(self) -> int:
        """Days since the due date of the oldest unpaid installment; 0 when nothing is overdue."""
        oldest = self.next_due
        return max(0, (self.as_of - oldest.due_on).days) if oldest is not None else 0
