"""What happened to a lender's part of a loan."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from shared.messaging.envelope import Event


class _Investment(Event):
    investment_id: UUID
    loan_id: UUID
    lender_id: UUID
    amount_minor: int
    currency: str
    wallet_id: UUID | None = Field(None, description="The lender's wallet that the money comes from and goes back to")


class InvestmentHeld(_Investment):
    """The lender's money is reserved for the loan."""

    type: ClassVar[str] = "lending.investment.held"


class InvestmentRejected(_Investment):
    """The lender's money could not be reserved."""

    type: ClassVar[str] = "lending.investment.rejected"

    code: str
    reason: str


class InvestmentReleased(_Investment):
    """The loan was not made; the lender has the money back."""

    type: ClassVar[str] = "lending.investment.released"


class InvestmentActivated(_Investment):
    """The loan was paid out; the lender now owns a part of it."""

    type: ClassVar[str] = "lending.investment.activated"


class InvestmentPaid(_Investment):
    """A repayment reached the lender's wallet. `interest_minor` is before the service fee."""

    type: ClassVar[str] = "lending.investment.paid"

    repayment_id: UUID
    principal_minor: int
    interest_minor: int
    service_fee_minor: int
