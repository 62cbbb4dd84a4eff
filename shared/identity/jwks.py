"""The auth service's public keys, fetched and kept for a while."""

import asyncio
import logging
from typing import Any

import httpx

from shared.identity.principal import Principal
from shared.identity.revocations import Revocations, session_ended
from shared.identity.tokens import KeySet, TokenRules, refused, token_header, verify_token
from shared.problems import ServiceUnavailable

_log = logging.getLogger(__name__)

FRESH_SECONDS = 300.0
"""After a success: so long the keys are taken as they are."""
UNKNOWN_SECONDS = 5.0
"""After a success: so long a key id that is not among them is not asked for, whoever names however many."""
RETRY_SECONDS = 2.0
"""After a failure."""


class TokenVerifier:
    """Verifies access tokens with the keys published at `jwks_url`.

    Keys are fetched at first use, when they are five minutes old (meanwhile the old ones serve), when a token names a key
    that is not known, and when the auth service says that they have changed. A flood of made-up key ids costs one fetch in
    five seconds. While the auth service is away the keys that are known stay good.
    """

    def __init__(self, jwks_url: str, rules: TokenRules, revocations: Revocations | None = None) -> None:
        self._url = jwks_url
        self._rules = rules
        self._keys: KeySet = {}
        self._fetched_at = float("-inf")
        self._failed_at = float("-inf")
        self._news_seen = 0
        self._fetching: asyncio.Task[None] | None = None
        self.revocations = Revocations() if revocations is None else revocations

    async def verify(self, token: str) -> Principal:
        """The principal of `token`.

        Raises `Unauthenticated`, `SessionEnded`, or `ServiceUnavailable` when no key was ever fetched.
        """
        key_id = token_header(token)["kid"]
        if self.revocations.key_revoked(key_id):
            raise refused()
        if self._due(known=key_id in self._keys):
            fetching = self._fetch_once()
            if key_id not in self._keys:
                await asyncio.shield(fetching)
        if not self._keys:
            raise ServiceUnavailable("Access tokens cannot be checked right now. Try again in a few seconds.")
        principal = verify_token(token, self._keys, self._rules)
        if self.revocations.key_revoked(key_id):
            raise refused()
        if self.revocations.session_ended(principal.lives_by):
            raise session_ended()
        return principal

    def _due(self, *, known: bool) -> bool:
        """Whether it is time to ask for the keys, or they are being asked for already."""
        now = asyncio.get_running_loop().time()
        if self._fetching is not None and not self._fetching.done():
            return True
        if now - self._failed_at < RETRY_SECONDS:
            return False
        if self._news_seen != self.revocations.key_news:
            return True
        return now - self._fetched_at > (FRESH_SECONDS if known else UNKNOWN_SECONDS)

    def _fetch_once(self) -> "asyncio.Task[None]":
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._refresh(), name="fetch signing keys")
        return self._fetching

    async def _refresh(self) -> None:
        loop = asyncio.get_running_loop()
        news = self.revocations.key_news
        try:
            self._keys = await self._fetch()
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            self._failed_at = loop.time()
            _log.warning("signing keys could not be fetched", extra={"error": type(error).__name__})
        else:
            self._fetched_at, self._failed_at, self._news_seen = loop.time(), float("-inf"), news

    async def _fetch(self) -> dict[str, dict[str, Any]]:
        async with httpx.AsyncClient(timeout=3.0, trust_env=False) as client:
            answer = await client.get(self._url)
            answer.raise_for_status()
            return {key["kid"]: key for key in answer.json()["keys"] if key.get("kty") == "EC"}
