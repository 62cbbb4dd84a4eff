"""Decides by itself, by what the document number begins with, so that both outcomes can be tried.

`FAIL…` is rejected, `MANUAL…` is left to a reviewer, `ODD…` gets an answer that nobody knows, `SLOW…` is approved after five
seconds, all others are approved.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from services.auth.domain.kyc import KycSubmission
from services.auth.providers.kyc.base import CheckEvent, CheckOutcome
from shared.clock import Clock
from shared.webhooks import WebhookForged

_SLOW = timedelta(seconds=5)
_VERDICTS = {"FAIL": "rejected", "MANUAL": "manual", "ODD": "under_a_full_moon"}


class SandboxIdentityProvider:
    """Keeps nothing: the reference says what will be answered, and when. It sends no webhooks."""

    name = "sandbox"
    first_pause_seconds = 1.0

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def start(self, submission: KycSubmission, documents: Sequence[tuple[str, bytes]]) -> str:
        """A reference made of the verdict and the instant from which it is given."""
        number = submission.details.document_number.upper()
        verdict = next((word for prefix, word in _VERDICTS.items() if number.startswith(prefix)), "approved")
        ready_at = submission.submitted_at + (_SLOW if number.startswith("SLOW") else timedelta(0))
        return f"{verdict}:{ready_at.timestamp():.3f}"

    async def outcome(self, reference: str) -> CheckOutcome:
        """What the reference says."""
        verdict, ready_at = reference.split(":")
        if self._clock.now() < datetime.fromtimestamp(float(ready_at), UTC):
            return CheckOutcome("waiting")
        if verdict == "rejected":
            return CheckOutcome("rejected", "The document could not be confirmed.")
        if verdict in ("approved", "manual"):
            return CheckOutcome("approved" if verdict == "approved" else "manual")
        return CheckOutcome("waiting")

    def parse_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> CheckEvent:
        """Nobody shares a secret with it."""
        raise WebhookForged("This provider sends no webhooks.")

    async def close(self) -> None:
        """Nothing is held."""
