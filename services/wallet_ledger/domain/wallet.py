"""A wallet: a person's own account in the ledger, with a name."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

MAX_WALLETS = 20
"""How many wallets one person may have."""

HOME_NAME = "Main"


@dataclass(frozen=True, slots=True)
class Wallet:
    """One wallet. `balance_minor` is what has been posted, `held_minor` the part of it that is promised away."""

    id: UUID
    user_id: UUID
    account_id: int
    currency: str
    name: str
    is_home: bool
    status: str
    balance_minor: int
    held_minor: int
    opened_at: datetime

    @property
    def available_minor(self) -> int:
        """What can be spent now."""
        return self.balance_minor - self.held_minor


def email_hash(email: str) -> bytes:
    """32 bytes for an address, however it is written. Anybody can make them, so they are stored sealed, and indexed by a key."""
    return hashlib.sha256(email.strip().lower().encode()).digest()
