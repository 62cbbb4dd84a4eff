"""What happened to the keys that sign access tokens."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared.messaging.envelope import Event


class SigningKeyAdded(Event):
    """A key was made: fetch the key set again. It signs from `activates_at`."""

    type: ClassVar[str] = "auth.signing_key.added"

    key_id: str
    activates_at: datetime


class SigningKeyRevoked(Event):
    """Somebody may have the private half of a key: no token that it signed is good any more, whatever its date."""

    type: ClassVar[str] = "auth.signing_key.revoked"

    key_id: str
    revoked_at: datetime
    reason: str
    revoked_by: UUID | None = None
