"""What happened to money on its way out."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared.messaging.envelope import Event


class _Withdrawal(Event):
    withdrawal_id: UUID
    user_id: UUID
    wallet_id: UUID
    amount_minor: int
    currency: str
    provider: str


class WithdrawalRequested(_Withdrawal):
    """Somebody asked for money to be paid out."""

    type: ClassVar[str] = "payments.withdrawal.requested"


class WithdrawalCompleted(_Withdrawal):
    """The provider has paid."""

    type: ClassVar[str] = "payments.withdrawal.completed"

    completed_at: datetime


class WithdrawalFailed(_Withdrawal):
    """The money was not paid out; what was held is back in the wallet."""

    type: ClassVar[str] = "payments.withdrawal.failed"

    code: str
    reason: str


class WithdrawalCancelled(_Withdrawal):
    """Its owner took the withdrawal back before it was sent; what was held is back in the wallet."""

    type: ClassVar[str] = "payments.withdrawal.cancelled"
