"""What happened to a loan."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from shared.messaging.envelope import Event


class _Loan(Event):
    loan_id: UUID
    borrower_id: UUID
    amount_minor: int
    currency: str
    wallet_id: UUID | None = Field(None, description="The borrower's wallet that the loan is paid out to")


class LoanSubmitted(_Loan):
    """Somebody applied for a loan."""

    type: ClassVar[str] = "lending.loan.submitted"

    term_months: int
    annual_rate: str
    risk_grade: str
    purpose: str


class LoanApproved(_Loan):
    """An administrator approved the application: lenders can fund it until the deadline."""

    type: ClassVar[str] = "lending.loan.approved"

    term_months: int
    annual_rate: str
    risk_grade: str
    purpose: str
    funding_ends_at: datetime


class LoanDeclined(_Loan):
    """An administrator declined the application."""

    type: ClassVar[str] = "lending.loan.declined"

    reason: str


class LoanCancelled(_Loan):
    """The borrower took the application back, or it could not be paid out; what lenders had held is released."""

    type: ClassVar[str] = "lending.loan.cancelled"

    reason: str


class LoanExpired(_Loan):
    """The deadline passed before the loan was funded; what lenders had held is released."""

    type: ClassVar[str] = "lending.loan.expired"


class LoanFunded(_Loan):
    """Lenders hold the whole amount; the borrower is about to be paid."""

    type: ClassVar[str] = "lending.loan.funded"


class LoanDisbursed(_Loan):
    """The borrower has the money, less fees, and the schedule runs."""

    type: ClassVar[str] = "lending.loan.disbursed"

    net_amount_minor: int
    origination_fee_minor: int
    reserve_contribution_minor: int
    disbursed_on: date
    first_due_on: date
    first_due_minor: int


class LoanRepaid(_Loan):
    """Nothing is owed any more."""

    type: ClassVar[str] = "lending.loan.repaid"

    repaid_on: date
