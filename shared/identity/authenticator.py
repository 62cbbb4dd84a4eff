"""Who a token names, without checking its signature for every request: that costs as much as half of all the rest.

A token that was good a moment ago still is, unless its session or its key has been ended meanwhile: it is remembered for
half a minute, and never beyond its own end.
"""

import base64
import json
import time
from collections.abc import Callable

from shared.identity.jwks import TokenVerifier
from shared.identity.principal import Principal
from shared.identity.revocations import session_ended

REMEMBER_SECONDS = 30.0
_MAX_REMEMBERED = 4096


class Authenticator:
    """Verifies tokens, and remembers for half a minute those that were good."""

    def __init__(self, verifier: TokenVerifier, now: Callable[[], float] = time.time) -> None:
        self._verifier = verifier
        self._revocations = verifier.revocations
        self._now = now
        self._remembered: dict[str, tuple[float, Principal]] = {}
        self._news_seen = self._revocations.key_news

    def remembered(self, token: str) -> Principal | None:
        """The principal of a token that was verified a moment ago. Raises `SessionEnded`."""
        if self._news_seen != self._revocations.key_news:
            self._news_seen = self._revocations.key_news
            self._remembered.clear()
        found = self._remembered.get(token)
        if found is None:
            return None
        until, principal = found
        if until <= self._now():
            del self._remembered[token]
            return None
        if self._revocations.session_ended(principal.lives_by):
            raise session_ended()
        return principal

    async def verify(self, token: str) -> Principal:
        """The principal of any token.

        Raises `Unauthenticated`, `SessionEnded`, or `ServiceUnavailable` when no key is known.
        """
        if (known := self.remembered(token)) is not None:
            return known
        news = self._revocations.key_news
        principal = await self._verifier.verify(token)
        if news == self._revocations.key_news == self._news_seen:
            if len(self._remembered) >= _MAX_REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
            self._remembered[token] = (min(_expires_at(token), self._now() + REMEMBER_SECONDS), principal)
        return principal


def _expires_at(verified_token: str) -> float:
    payload = verified_token.split(".")[1].encode()
    return float(json.loads(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))["exp"])
