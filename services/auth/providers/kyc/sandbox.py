"""Decides by itself, by what the document number begins with, so that both outcomes can be tried.

`FAIL…` is rejected, `MANUAL…` is left to a reviewer, `SLOW…` is approved after five seconds, all others are approved.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from services.auth.domain.kyc import KycSubmission
from services.auth.providers.kyc.base import CheckOutcome

_SLOW = timedelta(seconds=5)


class SandboxIdentityProvider:
    """Keeps nothing: the reference says what will be answered, and when."""

    name = "sandbox"

    async def start(self, submission: KycSubmission, documents: Sequence[tuple[str, bytes]]) -> str:
        """A reference made of the verdict and the instant from which it is given."""
        number = submission.details.document_number.upper()
        verdict = "rejected" if number.startswith("FAIL") else "manual" if number.startswith("MANUAL") else "approved"
        ready_at = submission.submitted_at + (_SLOW if number.startswith("SLOW") else timedelta(0))
        return f"{verdict}:{ready_at.timestamp():.3f}"

    async def outcome(self, reference: str) -> CheckOutcome:
        """What the reference says."""
        verdict, ready_at = reference.split(":")
        if datetime.now(UTC) < datetime.fromtimestamp(float(ready_at), UTC):
            return CheckOutcome("waiting")
        if verdict == "rejected":
            return CheckOutcome("rejected", "The document could not be confirmed.")
        return CheckOutcome("manual" if verdict == "manual" else "approved")
