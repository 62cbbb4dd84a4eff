"""A partner's API client: a program that acts for the person who made it, within the scopes that they chose."""

import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, Self
from uuid import UUID

from services.auth.domain.problems import ScopeNotAllowed
from shared.identity.scopes import SCOPES

SECRET_PREFIX = "lcs_"  # noqa: S105 lets secret scanners recognise one

ClientStatus = Literal["active", "disabled"]


@dataclass(frozen=True)
class ApiClient:
    """One client. Its secrets are 256 random bits kept as SHA-256: nothing can be guessed, so nothing needs to be slow.

    After a rotation the secret before works until `previous_secret_expires_at`, so that a partner can change over without
    a gap. `grant_id` is in each of its access tokens and takes the place of a session's id: ending it ends them, and a new
    one makes the next ones good. `requests_per_minute` is None where the platform's own limits hold.
    """

    id: UUID
    owner_id: UUID
    name: str
    scopes: tuple[str, ...]
    status: ClientStatus
    grant_id: UUID
    requests_per_minute: int | None
    secret_hash: bytes
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None = None
    previous_secret_hash: bytes | None = None
    previous_secret_expires_at: datetime | None = None
    last_used_at: datetime | None = None
    last_used_address: str | None = None

    def usable(self, now: datetime) -> bool:
        """Whether it may get tokens."""
        return self.status == "active" and (self.expires_at is None or now < self.expires_at)

    def knows(self, secret_hash: bytes, now: datetime) -> bool:
        """Whether this is the hash of its secret, or of the one before while that still works."""
        right = hmac.compare_digest(self.secret_hash, secret_hash)
        if self.previous_secret_hash is None or self.previous_secret_expires_at is None:
            return right
        right_before = hmac.compare_digest(self.previous_secret_hash, secret_hash)
        return right or (right_before and now < self.previous_secret_expires_at)

    def rotated(self, secret_hash: bytes, now: datetime, overlap: timedelta) -> Self:
        """With a new secret; the present one works on for `overlap`, and the one before it no more."""
        return replace(
            self,
            secret_hash=secret_hash,
            previous_secret_hash=self.secret_hash if overlap else None,
            previous_secret_expires_at=now + overlap if overlap else None,
            updated_at=now,
        )

    def granted(self, wanted: str | None) -> tuple[str, ...]:
        """The scopes of a token: all of its own, or those of `wanted` (space-separated). Raises `ScopeNotAllowed`."""
        if wanted is None or not wanted.split():
            return self.scopes
        scopes = tuple(dict.fromkeys(wanted.split()))
        if missing := [scope for scope in scopes if scope not in self.scopes]:
            raise ScopeNotAllowed(f"The client does not have {', '.join(missing[:10])}.")
        return scopes


def check_scopes(scopes: tuple[str, ...], owner_roles: tuple[str, ...]) -> tuple[str, ...]:
    """The scopes, sorted, each once. Raises `ScopeNotAllowed` for one that there is not, or that the owner may not use.

    Every scope is about what a person with the role `user` may do with what is theirs. No scope reaches an operator's call.
    """
    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        raise ScopeNotAllowed(f"There is no scope {', '.join(unknown[:10])}. There are: {', '.join(SCOPES)}.")
    if "user" not in owner_roles:
        raise ScopeNotAllowed("Your account does not have the role user, whose rights the scopes are about.")
    return tuple(sorted(set(scopes)))
