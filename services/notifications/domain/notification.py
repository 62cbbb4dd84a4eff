"""One entry of a person's in-app feed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Notification:
    """What a person was told, and whether they have read it. `type` is the type of the event that it is about."""

    id: UUID
    user_id: UUID
    event_id: UUID
    type: str
    title: str
    body: str
    data: dict[str, Any]
    created_at: datetime
    read_at: datetime | None = None
