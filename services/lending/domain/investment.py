"""One lender's part of one loan."""

from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from services.lending.domain.distribution import Holding, LenderShare
from services.lending.domain.problems import WrongInvestmentStatus


class InvestmentStatus(StrEnum):
    """`pending` (its hold is asked for) → held / rejected → active → completed / written_off, or `released`."""

    PENDING = "pending"
    HELD = "held"
    REJECTED = "rejected"
    ACTIVE = "active"
    COMPLETED = "completed"
    RELEASED = "released"
    WRITTEN_OFF = "written_off"


PLEDGED = frozenset({InvestmentStatus.PENDING, InvestmentStatus.HELD})
"""While the loan is being funded, these count towards its goal."""


@dataclass(frozen=True, slots=True)
class Investment:
    """`outstanding_minor` is the principal not paid back yet; it is 0 until the loan is paid out.

    `interest_minor` is before the service fee.
    """

    id: UUID
    loan_id: UUID
    lender_id: UUID
    wallet_id: UUID
    amount_minor: int
    currency: str
    status: InvestmentStatus = InvestmentStatus.PENDING
    outstanding_minor: int = 0
    principal_minor: int = 0
    interest_minor: int = 0
    service_fees_minor: int = 0
    rejection_code: str | None = None

    @property
    def holding(self) -> Holding:
        return Holding(self.id, self.amount_minor, self.outstanding_minor)

    def hold(self) -> "Investment":
        """The lender's money is reserved."""
        return self._move(InvestmentStatus.HELD, {InvestmentStatus.PENDING})

    def reject(self, code: str) -> "Investment":
        """The lender's money could not be reserved; `code` says why."""
        return replace(self._move(InvestmentStatus.REJECTED, {InvestmentStatus.PENDING}), rejection_code=code)

    def release(self) -> "Investment":
        """The loan is not made: the hold is voided, or never comes."""
        return self._move(InvestmentStatus.RELEASED, PLEDGED)

    def activate(self) -> "Investment":
        """The loan was paid out: the lender owns a part of it."""
        active = self._move(InvestmentStatus.ACTIVE, {InvestmentStatus.HELD})
        return replace(active, outstanding_minor=self.amount_minor)

    def receive(self, share: LenderShare) -> "Investment":
        """Book the lender's part of a repayment; raises `ValueError` for more principal than is outstanding."""
        self._require({InvestmentStatus.ACTIVE})
        if share.principal_minor > self.outstanding_minor:
            raise ValueError("a lender cannot get back more than was lent")
        return replace(
            self,
            outstanding_minor=self.outstanding_minor - share.principal_minor,
            principal_minor=self.principal_minor + share.principal_minor,
            interest_minor=self.interest_minor + share.interest_minor,
            service_fees_minor=self.service_fees_minor + share.service_fee_minor,
        )

    def complete(self) -> "Investment":
        """The loan is repaid."""
        return self._move(InvestmentStatus.COMPLETED, {InvestmentStatus.ACTIVE})

    def write_off(self) -> "Investment":
        """The loan was charged off: what is outstanding is lost unless it is recovered."""
        return self._move(InvestmentStatus.WRITTEN_OFF, {InvestmentStatus.ACTIVE})

    def _move(self, to: InvestmentStatus, allowed: set[InvestmentStatus] | frozenset[InvestmentStatus]) -> "Investment":
        self._require(allowed)
        return replace(self, status=to)

    def _require(self, allowed: set[InvestmentStatus] | frozenset[InvestmentStatus]) -> None:
        if self.status not in allowed:
            raise WrongInvestmentStatus(f"The investment is {self.status}.")
