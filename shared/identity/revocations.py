"""Access tokens that ended before their time: of sessions that were ended, and of signing keys that were revoked.

Every process keeps a short list of them in memory, fed by the auth service (`shared.identity.revocation_feed`). A session
stays on it until the last of its access tokens has expired by itself, so the list stays short.
"""

import logging
import time
from collections.abc import Callable, Iterable
from uuid import UUID

from shared.problems import Unauthenticated

_log = logging.getLogger(__name__)
_MAX_SESSIONS = 100_000


class SessionEnded(Unauthenticated):
    """The access token is still good, but its session was ended or its account is not active."""

    code = "session_ended"
    title = "This session has ended; log in again"


class Revocations:
    """What must not be accepted any more, as far as this process was told. Times are epoch seconds."""

    def __init__(self, *, max_sessions: int = _MAX_SESSIONS, now: Callable[[], float] = time.time) -> None:
        self._max_sessions = max_sessions
        self._now = now
        self._sessions: dict[UUID, float] = {}
        self._keys: set[str] = set()
        self.key_news = 0
        """Goes up whenever the set of signing keys has changed: what was fetched or remembered before is old."""

    def end_sessions(self, session_ids: Iterable[UUID], until: float) -> None:
        """Accept no token of these sessions; `until` is when the last of them has expired by itself."""
        now = self._now()
        if until <= now:
            return
        for session_id in session_ids:
            self._sessions[session_id] = until
        for known in tuple(self._oldest_expired(now)):
            del self._sessions[known]
        if (too_many := len(self._sessions) - self._max_sessions) > 0:
            _log.warning("more sessions have ended than can be remembered", extra={"forgotten": too_many})
            for known in tuple(self._sessions)[:too_many]:
                del self._sessions[known]

    def revoke_keys(self, key_ids: Iterable[str]) -> None:
        """Accept no token that one of these keys signed."""
        if new := set(key_ids) - self._keys:
            self._keys |= new
            self.key_news += 1

    def keys_changed(self) -> None:
        """There is a new signing key."""
        self.key_news += 1

    def session_ended(self, session_id: UUID | None) -> bool:
        """Whether the session was ended, as far as this process knows."""
        return session_id in self._sessions

    def key_revoked(self, key_id: str) -> bool:
        """Whether the key was revoked, as far as this process knows."""
        return key_id in self._keys

    def __len__(self) -> int:
        """How many ended sessions are remembered."""
        return len(self._sessions)

    def _oldest_expired(self, now: float) -> Iterable[UUID]:
        """Entries come about in the order of their ends, so that looking at the first few is enough."""
        for session_id, until in self._sessions.items():
            if until > now:
                return
            yield session_id


def session_ended() -> SessionEnded:
    """The problem for a token whose session is over."""
    return SessionEnded("Log in again.", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
