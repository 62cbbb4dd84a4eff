"""What a company that checks identities can do. Like the real ones it answers later: we start a check, then ask for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from services.auth.domain.kyc import KycSubmission


@dataclass(frozen=True)
class CheckOutcome:
    """`waiting`: ask again. `manual`: it does not know; a reviewer of ours decides. `reason` is told to the person."""

    verdict: Literal["waiting", "approved", "rejected", "manual"]
    reason: str | None = None


class IdentityProvider(Protocol):
    """One company. Calls may fail with any exception; they are then made again."""

    name: str

    async def start(self, submission: KycSubmission, documents: Sequence[tuple[str, bytes]]) -> str:
        """Begin a check; its name there. Starting the same submission twice must give the same check."""
        ...

    async def outcome(self, reference: str) -> CheckOutcome:
        """How the check stands."""
        ...
