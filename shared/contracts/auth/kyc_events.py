"""What happened to a person's identity check."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from shared.messaging.envelope import Event

FIRST_DAILY_MAJOR = 10**15
"""The daily limits of somebody of whom no `KycLevelChanged` has told: major units of each currency."""


class KycSubmitted(Event):
    """A person handed in their details for checking. A renewal is handed in while an earlier approval still holds."""

    type: ClassVar[str] = "auth.kyc.submitted"

    user_id: UUID
    kyc_id: UUID
    submitted_at: datetime
    renewal: bool = False


class KycApproved(Event):
    """A person's identity was confirmed."""

    type: ClassVar[str] = "auth.kyc.approved"

    user_id: UUID
    kyc_id: UUID
    country: str
    approved_at: datetime
    level: int = 2
    expires_on: date | None = None


class KycRejected(Event):
    """A person's identity was not confirmed; they may hand in better details."""

    type: ClassVar[str] = "auth.kyc.rejected"

    user_id: UUID
    kyc_id: UUID
    reason: str
    rejected_at: datetime


class KycExpiring(Event):
    """The confirmation of a person's identity ends soon: they should hand in their details again."""

    type: ClassVar[str] = "auth.kyc.expiring"

    user_id: UUID
    kyc_id: UUID
    expires_on: date


class KycExpired(Event):
    """The confirmation of a person's identity has ended: until the next one they are not confirmed."""

    type: ClassVar[str] = "auth.kyc.expired"

    user_id: UUID
    kyc_id: UUID
    expired_at: datetime


class KycLevelChanged(Event):
    """A person is known better or worse than before, which sets how much money may come in and go out a day.

    Limits are in major units of each currency by itself; null is no limit.
    """

    type: ClassVar[str] = "auth.kyc.level_changed"

    user_id: UUID
    level: int
    daily_deposits_major: int | None = None
    daily_withdrawals_major: int | None = None
    changed_at: datetime
