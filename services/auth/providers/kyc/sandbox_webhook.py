"""The sandbox as a company that takes a check and answers later, with a webhook that is signed as real ones are.

It decides as the sandbox does. For `LOST…` no webhook comes, as one day none will.
"""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

import httpx

from services.auth.domain.kyc import KycSubmission
from services.auth.providers.kyc.base import CheckEvent, CheckOutcome, reference_of
from services.auth.providers.kyc.sandbox import SandboxIdentityProvider
from shared.clock import Clock
from shared.webhooks import HEADER, read_event, sign

_log = logging.getLogger(__name__)
_TIMEOUT_SECONDS = 10.0
_THINKS_SECONDS = 0.2


class SandboxWebhookProvider(SandboxIdentityProvider):
    """Calls `webhook_url` once for each check, when it is ready; `secret` signs. What it has not sent when it ends is lost."""

    name = "sandbox-webhook"
    first_pause_seconds = 60.0

    def __init__(self, clock: Clock, webhook_url: str, secret: str) -> None:
        super().__init__(clock)
        self._webhook_url = webhook_url
        self._secret = secret
        self._sending: dict[str, asyncio.Task[None]] = {}

    async def start(self, submission: KycSubmission, documents: Sequence[tuple[str, bytes]]) -> str:
        """Take the check."""
        known_as = await super().start(submission, documents)
        reference = reference_of(submission.id)
        if reference not in self._sending and not submission.details.document_number.upper().startswith("LOST"):
            self._sending[reference] = asyncio.create_task(self._send(reference, known_as), name=f"webhook {reference}")
        return known_as

    async def outcome(self, reference: str) -> CheckOutcome:
        """What the reference says, but not at once."""
        verdict, ready_at = reference.split(":")
        return await super().outcome(f"{verdict}:{float(ready_at) + _THINKS_SECONDS}")

    def parse_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> CheckEvent:
        """Verify and read one of its webhooks."""
        event = read_event(self._secret, headers, body, now)
        return CheckEvent(event.key, event.type, event.reference)

    async def close(self) -> None:
        """Send nothing any more."""
        sending = list(self._sending.values())
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)

    async def _send(self, reference: str, known_as: str) -> None:
        verdict, ready_at = known_as.split(":")
        event = {"id": f"evt_{reference}", "type": f"check.{verdict}", "data": {"reference": reference}}
        body = json.dumps(event).encode()
        try:
            await asyncio.sleep(max(float(ready_at) + _THINKS_SECONDS - self._clock.now().timestamp(), 0))
            headers = {HEADER: sign(self._secret, self._clock.now(), body), "content-type": "application/json"}
            async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False) as http:
                (await http.post(self._webhook_url, content=body, headers=headers)).raise_for_status()
        except httpx.HTTPError as trouble:
            _log.warning("the sandbox could not deliver a webhook", extra={"why": type(trouble).__name__})
        finally:
            self._sending.pop(reference, None)
