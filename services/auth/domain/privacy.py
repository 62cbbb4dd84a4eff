"""What a person asked for: a copy of everything about them, or to be forgotten."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, Self
from uuid import UUID

PrivacyKind = Literal["export", "erasure"]
PrivacyStatus = Literal["collecting", "assembling", "ready", "failed", "expired", "checking", "erasing", "erased", "refused"]
OPEN: frozenset[PrivacyStatus] = frozenset({"collecting", "assembling", "checking", "erasing"})

ARCHIVE_KEPT = timedelta(hours=24)
REPORT_KEPT = timedelta(days=365)
ERASED_NAME = "Erased person"


@dataclass(frozen=True)
class PrivacyRequest:
    """`secret_hash` finds the report of an erasure, when nobody can log in any more; `secret` is sealed."""

    id: UUID
    user_id: UUID
    kind: PrivacyKind
    status: PrivacyStatus
    requested_at: datetime
    settled_at: datetime | None = None
    expires_at: datetime | None = None
    blockers: tuple[dict[str, str], ...] = ()
    secret: bytes | None = None
    secret_hash: bytes | None = None
    report: str | None = None

    @property
    def open(self) -> bool:
        """Whether work on it goes on."""
        return self.status in OPEN

    def moved(self, status: PrivacyStatus, now: datetime) -> Self:
        """In its next state."""
        if status == self.status:
            return self
        kept = {"ready": ARCHIVE_KEPT, "erased": REPORT_KEPT}.get(status)
        settled_at = None if status in OPEN else self.settled_at or now
        return replace(self, status=status, settled_at=settled_at, expires_at=now + kept if kept else self.expires_at)

    @property
    def archive_key(self) -> str:
        """The file of an export."""
        return self.part_key("archive")

    def part_key(self, service: str) -> str:
        """The file of one service's part of an export."""
        return f"exports/{self.id}/{service}"

    def usable(self, now: datetime) -> bool:
        """Whether its result is there and not too old."""
        return self.status in ("ready", "erased") and self.expires_at is not None and now < self.expires_at


def erased_email(user_id: UUID) -> str:
    """What stands in place of an address: of a domain that can have none."""
    return f"erased-{user_id}@erased.invalid"
