"""The life of a key that signs access tokens.

A new key is published some minutes before it signs, so that whoever verifies has it by then. When the next one signs it is
retired: it stays published until its last token has expired. An emergency revoke ends all of that at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

PUBLISHED_AHEAD = timedelta(minutes=10)
"""Longer than anybody keeps the key set before asking for it again."""
VERIFIES_FOR = timedelta(minutes=30)
"""After it was retired: the life of a token, and what processes that did not notice at once may still sign."""

State = Literal["upcoming", "signing", "retired", "expired", "revoked"]


@dataclass(frozen=True)
class SigningKey:
    """An ES256 key pair. `private_key_pem` is empty once it can sign no more."""

    id: str
    public_jwk: dict[str, Any]
    private_key_pem: str
    created_at: datetime
    activates_at: datetime
    retired_at: datetime | None = None
    revoked_at: datetime | None = None
    revoke_reason: str | None = None

    @property
    def can_sign(self) -> bool:
        """Whether it signs now or will later."""
        return self.retired_at is None and self.revoked_at is None and bool(self.private_key_pem)

    def published(self, now: datetime) -> bool:
        """Whether its tokens are accepted."""
        return self.revoked_at is None and (self.retired_at is None or now < self.retired_at + VERIFIES_FOR)


def signing_key(keys: Sequence[SigningKey], now: datetime) -> SigningKey | None:
    """The key for new tokens: the one whose turn began last. If none's has begun (clocks differ, or the one before was
    revoked), the next one signs early."""
    able = [key for key in keys if key.can_sign]
    begun = [key for key in able if key.activates_at <= now]
    if begun:
        return max(begun, key=lambda key: key.activates_at)
    return min(able, key=lambda key: key.activates_at, default=None)


def state_of(key: SigningKey, keys: Sequence[SigningKey], now: datetime) -> State:
    """Where in its life the key is."""
    if key.revoked_at is not None:
        return "revoked"
    if not key.published(now):
        return "expired"
    if key.retired_at is not None or not key.can_sign:
        return "retired"
    if key == signing_key(keys, now):
        return "signing"
    return "upcoming" if key.activates_at > now else "retired"


def rotation_due(keys: Sequence[SigningKey], now: datetime, period: timedelta) -> bool:
    """Whether the next key is to be made: there is none that signs, or the newest has had its time."""
    newest = max((key.activates_at for key in keys if key.can_sign), default=None)
    return newest is None or now >= newest + period


def first_use(keys: Sequence[SigningKey], now: datetime, *, at_once: bool) -> datetime:
    """When a key that is made now begins to sign: at once if it was asked for, or nothing else signs."""
    return now if at_once or signing_key(keys, now) is None else now + PUBLISHED_AHEAD


def superseded(keys: Sequence[SigningKey], now: datetime) -> list[SigningKey]:
    """The keys to retire: those that another one has taken over from."""
    present = signing_key(keys, now)
    return [key for key in keys if present and key.can_sign and key.activates_at <= now and key != present]


def spent(keys: Sequence[SigningKey], now: datetime) -> list[SigningKey]:
    """The keys whose private half has no use any more, in any process."""
    return [key for key in keys if key.private_key_pem and not key.published(now)]
