"""What happened between a borrower and what is due."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from shared.messaging.envelope import Event


class _Repayment(Event):
    repayment_id: UUID
    loan_id: UUID
    borrower_id: UUID
    amount_minor: int
    currency: str


class RepaymentCompleted(_Repayment):
    """The borrower paid and every lender got their part."""

    type: ClassVar[str] = "lending.repayment.completed"

    principal_minor: int
    interest_minor: int
    fees_minor: int
    outstanding_principal_minor: int
    paid_on: date


class RepaymentRejected(_Repayment):
    """The borrower's payment could not be taken."""

    type: ClassVar[str] = "lending.repayment.rejected"

    code: str
    reason: str


class InstallmentDue(Event):
    """An installment is due today and not yet paid."""

    type: ClassVar[str] = "lending.installment.due"

    loan_id: UUID
    borrower_id: UUID
    number: int
    due_on: date
    outstanding_minor: int
    currency: str


class InstallmentOverdue(Event):
    """A loan went into arrears, or deeper: `bucket` is the number of days past due that was reached (1, 31, 61)."""

    type: ClassVar[str] = "lending.installment.overdue"

    loan_id: UUID
    borrower_id: UUID
    number: int
    due_on: date
    days_past_due: int
    bucket: int
    overdue_minor: int
    currency: str


class LateFeeCharged(Event):
    """An installment was not paid within the days of grace."""

    type: ClassVar[str] = "lending.late_fee.charged"

    loan_id: UUID
    borrower_id: UUID
    number: int
    fee_minor: int
    currency: str
    charged_on: date
