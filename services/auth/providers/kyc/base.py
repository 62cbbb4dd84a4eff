"""What a company that checks identities can do.

Like the real ones it answers later: we start a check, and ask for it when a webhook says that there is something to ask for,
or when none has come for a while.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from services.auth.domain.kyc import KycSubmission

_PREFIX = "kyc_"


@dataclass(frozen=True)
class CheckOutcome:
    """`waiting`: ask again, also when the company answers a word that nobody has mapped.

    `manual`: it does not know; a reviewer of ours decides. `reason` is told to the person.
    """

    verdict: Literal["waiting", "approved", "rejected", "manual"]
    reason: str | None = None


@dataclass(frozen=True)
class CheckEvent:
    """A webhook whose signature was right. `key` is the same for each repetition; `reference` is ours: see `reference_of`.

    What else it says is not kept: it may be about a person, and nothing of it is believed.
    """

    key: str
    type: str
    reference: str


class IdentityProvider(Protocol):
    """One company. Calls may fail with any exception; they are then made again.

    `first_pause_seconds` is how long a check is left alone before it is asked for without a webhook.
    """

    name: str
    first_pause_seconds: float

    async def start(self, submission: KycSubmission, documents: Sequence[tuple[str, bytes]]) -> str:
        """Begin a check that the company knows by our reference, too; its name there.

        Starting the same submission twice must give the same check.
        """
        ...

    async def outcome(self, reference: str) -> CheckOutcome:
        """How the check stands, by its name there."""
        ...

    def parse_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> CheckEvent:
        """Verify and read a webhook; header names are lower case. Raises `WebhookForged`, `WebhookStale`, `WebhookUnreadable`."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


def reference_of(kyc_id: UUID) -> str:
    """What companies call a submission of ours."""
    return _PREFIX + kyc_id.hex


def submission_of(reference: str) -> UUID | None:
    """The submission of a reference; None when it cannot be one of ours."""
    try:
        kyc_id = UUID(hex=reference.removeprefix(_PREFIX))
    except ValueError:
        return None
    return kyc_id if reference_of(kyc_id) == reference else None
