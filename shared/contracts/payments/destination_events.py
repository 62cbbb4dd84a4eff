"""What happened to the places where people have their money paid out to."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared.messaging.envelope import Event


class _PayoutDestination(Event):
    """`shown` is the destination as it may be shown: masked."""

    destination_id: UUID
    user_id: UUID
    provider: str
    shown: str


class PayoutDestinationAdded(_PayoutDestination):
    """Somebody saved a destination for payouts; nothing is paid to it before `usable_from`."""

    type: ClassVar[str] = "payments.payout_destination.added"

    added_at: datetime
    usable_from: datetime


class PayoutDestinationRemoved(_PayoutDestination):
    """Its owner removed it. Withdrawals that are under way to it go on."""

    type: ClassVar[str] = "payments.payout_destination.removed"

    removed_at: datetime
