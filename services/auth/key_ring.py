"""The signing keys of this process: read from the database, kept for a minute."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from services.auth.store.signing_keys import SigningKey
from shared.identity.jwks import TokenVerifier
from shared.identity.tokens import TokenRules
from shared.problems import ServiceUnavailable

FRESH_SECONDS = 60.0


class KeyRing:
    """The published keys, and the one that signs: the newest that is not retired."""

    def __init__(self, read: Callable[[], Awaitable[Sequence[SigningKey]]]) -> None:
        self._read = read
        self._keys: Sequence[SigningKey] = ()
        self._read_at = float("-inf")
        self._lock = asyncio.Lock()

    async def published(self) -> Sequence[SigningKey]:
        """Every key whose tokens are accepted."""
        loop = asyncio.get_running_loop()
        if not self._keys or loop.time() - self._read_at > FRESH_SECONDS:
            async with self._lock:
                if not self._keys or loop.time() - self._read_at > FRESH_SECONDS:
                    self._keys = await self._read()
                    self._read_at = loop.time()
        return self._keys

    async def signing(self) -> SigningKey:
        """The key for new tokens. Raises `ServiceUnavailable` while there is none."""
        for key in await self.published():
            if key.retired_at is None:
                return key
        raise ServiceUnavailable("No signing key is in place yet. Try again in a few seconds.", headers={"Retry-After": "2"})

    async def jwks(self) -> dict[str, Any]:
        """The public halves as a JSON Web Key Set (RFC 7517)."""
        return {"keys": [key.public_jwk for key in await self.published()]}


class OwnKeyVerifier(TokenVerifier):
    """Verifies access tokens as every service does, with the keys at hand instead of over HTTP."""

    def __init__(self, key_ring: KeyRing, rules: TokenRules) -> None:
        super().__init__("", rules)
        self._key_ring = key_ring

    async def _fetch(self) -> dict[str, dict[str, Any]]:
        return {key["kid"]: key for key in (await self._key_ring.jwks())["keys"]}
