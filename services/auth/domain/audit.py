"""One entry of the record of who did what."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class AuditEntry:
    """`action` is `thing.verb`; `before` and `after` hold what changed, never secrets or identity details."""

    id: UUID
    happened_at: datetime
    service: str
    action: str
    actor_id: UUID | None
    subject_id: UUID | None
    address: str | None
    request_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
