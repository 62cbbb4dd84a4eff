"""A loan from application to the last repayment: its data and the transitions between its states."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from services.lending.domain.day_count import DayCount
from services.lending.domain.late import bucket
from services.lending.domain.loan_state import LoanState, Surplus
from services.lending.domain.pricing import Grade
from services.lending.domain.problems import FundingClosed, FundingGoalExceeded, WrongLoanStatus
from services.lending.domain.terms import LoanTerms, Method


class LoanStatus(StrEnum):
    """Where a loan is on its way. Arrears are no status: an active loan in arrears says so with its bucket."""

    SUBMITTED = "submitted"
    FUNDING = "funding"
    DISBURSING = "disbursing"
    ACTIVE = "active"
    REPAID = "repaid"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Loan:
    """`funded_minor` counts held investments only, `pledged_minor` those whose hold is still asked for as well.

    `annual_rate` is a fraction; `bucket` is 0, 1, 31 or 61. `reason` says why a loan was declined, cancelled or failed.
    `outstanding_minor` (principal), `next_due_on` and `bucket` are copied from the replay by `with_standing`.
    """

    id: UUID
    borrower_id: UUID
    wallet_id: UUID
    product_code: str
    amount_minor: int
    currency: str
    term_months: int
    purpose: str
    method: Method
    day_count: DayCount
    annual_rate: Decimal
    risk_grade: Grade
    submitted_at: datetime
    status: LoanStatus = LoanStatus.SUBMITTED
    pledged_minor: int = 0
    funded_minor: int = 0
    funding_ends_at: datetime | None = None
    disbursed_on: date | None = None
    closed_at: datetime | None = None
    reason: str | None = None
    bucket: int = 0
    surplus: Surplus = Surplus.NEXT_INSTALLMENT
    assessment_id: UUID | None = None
    outstanding_minor: int = 0
    next_due_on: date | None = None
    worst_days_past_due: int = 0

    @property
    def remaining_minor(self) -> int:
        """What nobody has pledged yet."""
        return self.amount_minor - self.pledged_minor

    @property
    def is_fully_funded(self) -> bool:
        return self.funded_minor == self.amount_minor

    @property
    def terms(self) -> LoanTerms:
        """The terms of the schedule: monthly, the first installment a month after disbursal."""
        return LoanTerms(self.amount_minor, self.annual_rate, self.term_months, method=self.method, day_count=self.day_count)

    def approve(self, at: datetime, funding_days: int, annual_rate: Decimal | None = None) -> "Loan":
        """Open the loan to lenders for `funding_days`, at another rate than its grade says if one is given."""
        self._require(LoanStatus.SUBMITTED)
        return replace(
            self,
            status=LoanStatus.FUNDING,
            funding_ends_at=at + timedelta(days=funding_days),
            annual_rate=self.annual_rate if annual_rate is None else annual_rate,
        )

    def decline(self, at: datetime, reason: str) -> "Loan":
        """Refuse the application."""
        self._require(LoanStatus.SUBMITTED)
        return replace(self, status=LoanStatus.DECLINED, closed_at=at, reason=reason)

    def cancel(self, at: datetime, reason: str) -> "Loan":
        """The borrower takes the application back, before the loan is fully funded."""
        self._require(LoanStatus.SUBMITTED, LoanStatus.FUNDING)
        return replace(self, status=LoanStatus.CANCELLED, closed_at=at, reason=reason)

    def expire(self, at: datetime) -> "Loan":
        """The deadline passed before the loan was funded."""
        self._require(LoanStatus.FUNDING)
        if self.funding_ends_at is not None and at < self.funding_ends_at:
            raise WrongLoanStatus(f"The loan can be funded until {self.funding_ends_at.isoformat()}.")
        return replace(self, status=LoanStatus.EXPIRED, closed_at=at)

    def pledge(self, amount_minor: int, at: datetime) -> "Loan":
        """Set a part of the goal aside for an investment whose hold is asked for.

        Raises `FundingClosed` outside the funding time and `FundingGoalExceeded` above the goal.
        """
        if self.status is not LoanStatus.FUNDING or (self.funding_ends_at is not None and at >= self.funding_ends_at):
            raise FundingClosed
        if amount_minor > self.remaining_minor:
            raise FundingGoalExceeded(f"The loan still needs {self.remaining_minor}, in minor units.")
        return replace(self, pledged_minor=self.pledged_minor + amount_minor)

    def confirm_pledge(self, amount_minor: int) -> "Loan":
        """The money of a pledge is held; with the last one the loan is fully funded and starts to be paid out."""
        self._require(LoanStatus.FUNDING)
        funded = replace(self, funded_minor=self.funded_minor + amount_minor)
        if funded.funded_minor > funded.pledged_minor:
            raise ValueError("more money is held than was pledged")
        return replace(funded, status=LoanStatus.DISBURSING) if funded.is_fully_funded else funded

    def drop_pledge(self, amount_minor: int) -> "Loan":
        """The money of a pledge could not be held: others may take its place."""
        self._require(LoanStatus.FUNDING)
        return replace(self, pledged_minor=self.pledged_minor - amount_minor)

    def activate(self, disbursed_on: date) -> "Loan":
        """The borrower has the money: the schedule runs from this day."""
        self._require(LoanStatus.DISBURSING)
        return replace(self, status=LoanStatus.ACTIVE, disbursed_on=disbursed_on)

    def fail(self, at: datetime, reason: str) -> "Loan":
        """The loan could not be paid out."""
        self._require(LoanStatus.DISBURSING)
        return replace(self, status=LoanStatus.FAILED, closed_at=at, reason=reason)

    def with_standing(self, state: LoanState) -> "Loan":
        """The loan as the replay of its history shows it: what is left of the principal, what is due next, how late it is."""
        self._require(LoanStatus.ACTIVE)
        due = state.next_due
        return replace(
            self,
            outstanding_minor=state.outstanding_principal_minor,
            next_due_on=due.due_on if due else None,
            bucket=bucket(state.days_past_due),
            worst_days_past_due=max(self.worst_days_past_due, state.days_past_due),
        )

    def repay(self, at: datetime) -> "Loan":
        """Nothing is owed any more."""
        self._require(LoanStatus.ACTIVE)
        return replace(self, status=LoanStatus.REPAID, closed_at=at, bucket=0, outstanding_minor=0, next_due_on=None)

    def _require(self, *allowed: LoanStatus) -> None:
        if self.status not in allowed:
            raise WrongLoanStatus(f"The loan is {self.status}; this needs {' or '.join(allowed)}.")
