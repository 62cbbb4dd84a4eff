"""What happened to a person's identity check."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared.messaging.envelope import Event


class KycSubmitted(Event):
    """A person handed in their details for checking."""

    type: ClassVar[str] = "auth.kyc.submitted"

    user_id: UUID
    kyc_id: UUID
    submitted_at: datetime


class KycApproved(Event):
    """A person's identity was confirmed."""

    type: ClassVar[str] = "auth.kyc.approved"

    user_id: UUID
    kyc_id: UUID
    country: str
    approved_at: datetime


class KycRejected(Event):
    """A person's identity was not confirmed; they may hand in better details."""

    type: ClassVar[str] = "auth.kyc.rejected"

    user_id: UUID
    kyc_id: UUID
    reason: str
    rejected_at: datetime
