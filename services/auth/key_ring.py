"""The signing keys of this process: read from the database, kept for a minute."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from services.auth.domain.signing_keys import SigningKey, signing_key
from shared.clock import Clock
from shared.identity.jwks import TokenVerifier
from shared.identity.revocations import Revocations
from shared.identity.tokens import TokenRules
from shared.problems import ServiceUnavailable

FRESH_SECONDS = 60.0


class KeyRing:
    """The keys there are. Read again at once when this process, or the news from another one, says that they changed."""

    def __init__(self, read: Callable[[], Awaitable[Sequence[SigningKey]]], clock: Clock, revocations: Revocations) -> None:
        self._read = read
        self._clock = clock
        self._revocations = revocations
        self._keys: Sequence[SigningKey] = ()
        self._read_at = float("-inf")
        self._news_seen = 0
        self._lock = asyncio.Lock()

    def forget(self) -> None:
        """Read the keys again before the next use."""
        self._read_at = float("-inf")
        self._revocations.keys_changed()

    def revoke(self, key_id: str) -> None:
        """Accept none of its tokens in this process from now on; others hear it by event."""
        self.forget()
        self._revocations.revoke_keys([key_id])

    async def published(self) -> Sequence[SigningKey]:
        """Every key whose tokens are accepted, newest first."""
        if self._old():
            async with self._lock:
                if self._old():
                    news, read_at = self._revocations.key_news, asyncio.get_running_loop().time()
                    self._keys = await self._read()
                    self._news_seen, self._read_at = news, read_at
        now = self._clock.now()
        return [key for key in self._keys if key.published(now)]

    async def signing(self) -> SigningKey:
        """The key for new tokens. Raises `ServiceUnavailable` while there is none."""
        key = signing_key(await self.published(), self._clock.now())
        if key is None:
            raise ServiceUnavailable("No signing key is in place. Try again in a few seconds.", headers={"Retry-After": "2"})
        return key

    async def jwks(self) -> dict[str, Any]:
        """The public halves as a JSON Web Key Set (RFC 7517)."""
        return {"keys": [key.public_jwk for key in await self.published()]}

    def _old(self) -> bool:
        age_seconds = asyncio.get_running_loop().time() - self._read_at
        return age_seconds > FRESH_SECONDS or self._news_seen != self._revocations.key_news


class OwnKeyVerifier(TokenVerifier):
    """Verifies access tokens as every service does, with the keys at hand instead of over HTTP."""

    def __init__(self, key_ring: KeyRing, rules: TokenRules, revocations: Revocations) -> None:
        super().__init__("", rules, revocations)
        self._key_ring = key_ring

    async def _fetch(self) -> dict[str, dict[str, Any]]:
        return {key["kid"]: key for key in (await self._key_ring.jwks())["keys"]}
