"""What happened to money on its way in."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared.messaging.envelope import Event


class _Deposit(Event):
    deposit_id: UUID
    user_id: UUID
    wallet_id: UUID
    amount_minor: int
    currency: str
    provider: str


class DepositStarted(_Deposit):
    """Somebody was sent to a provider to pay."""

    type: ClassVar[str] = "payments.deposit.started"


class DepositSucceeded(_Deposit):
    """The money is in the wallet."""

    type: ClassVar[str] = "payments.deposit.succeeded"

    succeeded_at: datetime


class DepositFailed(_Deposit):
    """The provider says that the payment did not and will not happen."""

    type: ClassVar[str] = "payments.deposit.failed"

    reason: str


class DepositExpired(_Deposit):
    """Nobody paid in time."""

    type: ClassVar[str] = "payments.deposit.expired"
