"""A login on one device, and the chain of refresh tokens that keeps it alive."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from shared.identity.cookies import Carrier

LONGEST_TOKEN = timedelta(minutes=15, seconds=30)
"""The life of an access token, with what clocks may differ by."""


@dataclass(frozen=True)
class Session:
    """One login. `device` and `address` of its last use are read where they are shown, and empty elsewhere.

    `authenticated_at` is when the person last logged in or gave the password, `mfa_at` when they last gave a
    second factor; neither moves when tokens rotate."""

    id: UUID
    user_id: UUID
    device: str
    address: str
    methods: tuple[str, ...]
    authenticated_at: datetime
    last_used_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    end_reason: str | None = None
    mfa_at: datetime | None = None
    carrier: Carrier = "bearer"

    def alive(self, now: datetime) -> bool:
        """Whether the session can still be used."""
        return self.ended_at is None and now < self.expires_at


@dataclass(frozen=True)
class RefreshToken:
    """One link of the chain. It is used once, which makes its only child; the token itself is kept as a hash."""

    id: UUID
    session_id: UUID
    parent_id: UUID | None
    token_hash: bytes
    expires_at: datetime
    used_at: datetime | None = None


class Verdict(Enum):
    """What to do with a refresh token that came in."""

    ROTATE = "give its child"
    REPEAT = "give the same child again: the first answer was lost"
    REUSED = "end the session: somebody has an old token"
    DEAD = "refuse: the session or the token is over"


def judge(session: Session, token: RefreshToken, child: RefreshToken | None, now: datetime, grace: timedelta) -> Verdict:
    """What a refresh token is good for now.

    An old token is the mark of a thief, or of a client that never saw the answer. It is taken for the second only
    within `grace`, and only while the child that it was answered with has not been used by anybody.
    """
    if not session.alive(now):
        return Verdict.DEAD
    if token.used_at is None:
        return Verdict.ROTATE if now < token.expires_at else Verdict.DEAD
    # An exchange that waited for another one may have begun before the token was used: then `ago` would be negative.
    ago = max(now - token.used_at, timedelta(0))
    if child is not None and child.used_at is None and ago < grace:
        return Verdict.REPEAT
    return Verdict.REUSED
