"""What payments asks of itself, to be done soon, outside the transaction that found it necessary."""

from typing import ClassVar
from uuid import UUID

from shared.messaging.envelope import Command


class SyncDeposit(Command):
    """Ask the provider what has become of a deposit."""

    type: ClassVar[str] = "payments.deposit.sync"

    deposit_id: UUID


class RunPayout(Command):
    """Bring a withdrawal's payout forward: order it if nobody has, else ask the provider what has become of it."""

    type: ClassVar[str] = "payments.payout.run"

    withdrawal_id: UUID
