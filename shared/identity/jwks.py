"""The auth service's public keys, fetched and kept for a while."""

import asyncio
import logging
from typing import Any

import httpx

from shared.identity.principal import Principal
from shared.identity.tokens import KeySet, TokenRules, token_header, verify_token
from shared.problems import ServiceUnavailable

_log = logging.getLogger(__name__)

FRESH_SECONDS = 300.0
RETRY_SECONDS = 2.0


class TokenVerifier:
    """Verifies access tokens with the keys published at `jwks_url`.

    Keys are fetched at first use, again after five minutes, and when a token names an unknown key, but never more
    often than every two seconds: a flood of made-up key ids costs nothing. While the auth service is away the keys
    that are known stay good.
    """

    def __init__(self, jwks_url: str, rules: TokenRules) -> None:
        self._url = jwks_url
        self._rules = rules
        self._keys: KeySet = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._lock = asyncio.Lock()

    async def verify(self, token: str) -> Principal:
        """The principal of `token`. Raises `Unauthenticated`, or `ServiceUnavailable` when no key was ever fetched."""
        key_id = token_header(token)["kid"]
        now = asyncio.get_running_loop().time()
        if key_id not in self._keys or now - self._fetched_at > FRESH_SECONDS:
            await self._refresh()
        if not self._keys:
            raise ServiceUnavailable("Access tokens cannot be checked right now. Try again in a few seconds.")
        return verify_token(token, self._keys, self._rules)

    async def _refresh(self) -> None:
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if now - self._tried_at < RETRY_SECONDS:
                return
            self._tried_at = now
            try:
                self._keys = await self._fetch()
                self._fetched_at = now
            except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
                _log.warning("signing keys could not be fetched", extra={"error": type(error).__name__})

    async def _fetch(self) -> dict[str, dict[str, Any]]:
        async with httpx.AsyncClient(timeout=3.0, trust_env=False) as client:
            answer = await client.get(self._url)
            answer.raise_for_status()
            return {key["kid"]: key for key in answer.json()["keys"] if key.get("kty") == "EC"}
