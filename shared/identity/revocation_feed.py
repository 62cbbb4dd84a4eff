"""How a process learns which sessions and keys were ended: it hears the auth service's events, and asks it now and then.

Asking fills the list at the start, again after the broker was away, and is all there is where there is no broker.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any
from uuid import UUID

import httpx

from shared.contracts.auth.key_events import SigningKeyAdded, SigningKeyRevoked
from shared.contracts.auth.session_events import SessionsEnded
from shared.identity.revocations import Revocations
from shared.messaging.envelope import Event
from shared.messaging.listening import Listener
from shared.messaging.transport import Transport

_log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
"""Without a broker."""
CHECK_SECONDS = 10.0
"""With one: what was missed comes with this, for example while the auth service's own relay was away."""
_TIMEOUT_SECONDS = 3.0
_OVERLAP_SECONDS = 60.0  # a change may be seen after one with a later time


class RevocationFeed:
    """Keeps `revocations` up to date from `url`, and from the events of `transport`."""

    def __init__(self, revocations: Revocations, url: str, transport: Transport, *, every_seconds: float) -> None:
        self._revocations = revocations
        self._url = url
        self._transport = transport
        self._every_seconds = every_seconds
        self._since: float | None = None
        self._ask = asyncio.Event()
        self._failed = False
        self._task: asyncio.Task[None] | None = None
        # A certificate store costs tens of milliseconds to load; without TLS there is nothing to check.
        self._client = httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False, verify=url.startswith("https://"))

    async def start(self) -> None:
        """Begin. Waits for the first answer, but not for an auth service that is away."""
        self._transport.listen(
            Listener((SessionsEnded, SigningKeyAdded, SigningKeyRevoked), hear=self.hear, connected=self._ask.set)
        )
        await self._fill()
        self._task = asyncio.create_task(self._keep_asking(), name="follow revocations")

    async def stop(self) -> None:
        """End asking. The transport ends the hearing."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._client.aclose()

    def hear(self, event: Event) -> None:
        """Take note of one event."""
        if isinstance(event, SessionsEnded):
            self._revocations.end_sessions(event.session_ids, event.tokens_until.timestamp())
        elif isinstance(event, SigningKeyRevoked):
            self._revocations.revoke_keys([event.key_id])
        elif isinstance(event, SigningKeyAdded):
            self._revocations.keys_changed()

    async def _keep_asking(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every_seconds):
                    await self._ask.wait()
            self._ask.clear()
            await self._fill()

    async def _fill(self) -> None:
        try:
            answer = await self._client.get(self._url, params={} if self._since is None else {"since": self._since})
            answer.raise_for_status()
            self._take(answer.json())
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            if not self._failed:
                _log.warning("revocations could not be asked for; trying on", extra={"error": type(error).__name__})
            self._failed = True
        else:
            self._failed = False

    def _take(self, document: dict[str, Any]) -> None:
        for session in document["sessions"]:
            self._revocations.end_sessions([UUID(session["id"])], session["tokens_until"])
        self._revocations.revoke_keys(document["revoked_keys"])
        self._since = document["as_of"] - _OVERLAP_SECONDS
