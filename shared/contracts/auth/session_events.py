"""What happened to logins."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared.messaging.envelope import Event


class SessionsEnded(Event):
    """Sessions of one account ended: whoever remembers their access tokens forgets them.

    `reason` is logout, revoked, password_changed, factor_changed, suspended, closed, erased, role_taken or reuse.
    By `tokens_until` the last access token of these sessions has expired by itself.
    """

    type: ClassVar[str] = "auth.session.ended"

    user_id: UUID
    session_ids: list[UUID]
    reason: str
    ended_at: datetime
    tokens_until: datetime
