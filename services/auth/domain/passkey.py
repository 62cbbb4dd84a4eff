"""Passkeys: keys that a person's device holds and that work only on our own site."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, Self
from uuid import UUID

ChallengePurpose = Literal["register", "login", "second_factor"]
CHALLENGE_LIFETIME = timedelta(minutes=5)
MAX_PASSKEYS = 20


@dataclass(frozen=True)
class Passkey:
    """One credential of an account. `sign_count` is the device's own counter, 0 where it keeps none."""

    id: UUID
    user_id: UUID
    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]
    name: str
    backed_up: bool
    created_at: datetime
    last_used_at: datetime | None = None
    suspected_at: datetime | None = None

    def copied(self, sign_count: int) -> bool:
        """Whether a counter of `sign_count` shows that two devices hold this key."""
        return (sign_count > 0 or self.sign_count > 0) and sign_count <= self.sign_count

    def used(self, sign_count: int, backed_up: bool, now: datetime) -> Self:
        """The key signed."""
        return replace(self, sign_count=sign_count, backed_up=backed_up, last_used_at=now)

    def suspected(self, now: datetime) -> Self:
        """Its counter went backwards: it is refused from now on."""
        return replace(self, suspected_at=self.suspected_at or now)


@dataclass(frozen=True)
class PasskeyChallenge:
    """Random bytes to be signed once. `subject` is the session or the waiting login that they are good for."""

    challenge: bytes
    purpose: ChallengePurpose
    user_id: UUID | None
    subject: UUID | None
    expires_at: datetime
