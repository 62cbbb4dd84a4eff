"""A destination that somebody has saved, to be paid out to again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.payments.domain.problems import DestinationCoolingOff

MOST_SAVED = 20
"""How many destinations one person can save."""


@dataclass(frozen=True)
class PayoutDestination:
    """Where to, sealed and masked. Nothing is paid to it before `usable_from`."""

    id: UUID
    user_id: UUID
    provider: str
    destination_encrypted: bytes
    destination_masked: dict[str, str]
    label: str | None
    created_at: datetime
    usable_from: datetime

    def check_usable(self, now: datetime) -> None:
        """Raises `DestinationCoolingOff` while it is too new."""
        if now < self.usable_from:
            raise DestinationCoolingOff(
                f"Nothing is paid to a destination as new as this one. Order it again, with a new Idempotency-Key, from "
                f"{self.usable_from:%Y-%m-%dT%H:%M:%SZ} on. If it was not you who saved it, remove it now: "
                f"DELETE /v1/payout-destinations/{self.id}, and change your password."
            )


def in_words(masked: Mapping[str, str]) -> str:
    """A masked destination in one line, such as `account ••••0001`."""
    return ", ".join(f"{name.replace('_', ' ')} {shown}" for name, shown in masked.items())
