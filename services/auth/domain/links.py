"""Links in e-mails: where they lead, and the secret they carry."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import urlencode
from uuid import UUID

Purpose = Literal["verify_email", "reset_password", "change_email", "link_identity", "stop_factor_reset"]
_PATHS: dict[Purpose, str] = {
    "verify_email": "/v1/auth/pages/verify-email",
    "reset_password": "/v1/auth/pages/reset-password",
    "change_email": "/v1/auth/pages/change-email",
    "link_identity": "/v1/auth/pages/link-identity",
    "stop_factor_reset": "/v1/auth/pages/stop-factor-reset",
}


@dataclass(frozen=True)
class MailedLink:
    """A single-use secret sent to `email`."""

    id: UUID
    user_id: UUID
    purpose: Purpose
    email: str
    token_hash: bytes
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None

    def usable(self, now: datetime) -> bool:
        """Whether it was not used and its time is not over."""
        return self.used_at is None and now < self.expires_at


def hash_of(secret: str) -> bytes:
    """What is stored of a secret of 256 random bits: plain SHA-256 is enough, there is nothing to guess."""
    return hashlib.sha256(secret.encode()).digest()


def link_to(purpose: Purpose, public_url: str, secret: str) -> str:
    """The address to put into the e-mail: always on the configured public address."""
    return f"{public_url.rstrip('/')}{_PATHS[purpose]}?{urlencode({'token': secret})}"
