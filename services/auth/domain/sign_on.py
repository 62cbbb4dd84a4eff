"""Signing on with another provider: what is remembered on the way there and back, and where a person may be sent after."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import UUID

from services.auth.domain.problems import ReturnAddressNotAllowed

SignOnError = Literal[
    "access_denied",
    "provider_unavailable",
    "provider_answer_invalid",
    "email_missing",
    "email_unverified",
    "account_unconfirmed",
    "confirmation_sent",
    "account_suspended",
    "identity_taken",
]


class SignOnFailed(Exception):
    """Why a sign-on ended without a login. `why` is for our logs only."""

    def __init__(self, error: SignOnError, why: str = "") -> None:
        super().__init__(f"{error}: {why}")
        self.error: SignOnError = error
        self.why = why


@dataclass(frozen=True)
class SignOnSecrets:
    """What only we know on the way: the PKCE verifier, and the nonce that the ID token must bring back."""

    verifier: str
    nonce: str


@dataclass(frozen=True)
class SignOnAttempt:
    """One visit to a provider, used once. It belongs to the browser that has the secret of `browser_hash` in a cookie.

    `for_user_id` is who is logged in and links an identity. `challenge` is the app's own PKCE challenge, for apps that do not
    share cookies with the browser. In the end `code_hash` opens the account `user_id` for the app, once; with `second_factor`
    without one of ours.
    """

    id: UUID
    provider: str
    state_hash: bytes
    browser_hash: bytes
    secrets: SignOnSecrets
    return_to: str
    challenge: str | None
    for_user_id: UUID | None
    created_at: datetime
    expires_at: datetime
    returned_at: datetime | None = None
    code_hash: bytes | None = None
    user_id: UUID | None = None
    code_expires_at: datetime | None = None
    code_used_at: datetime | None = None
    second_factor: bool = False

    def awaits_return(self, now: datetime) -> bool:
        """Whether the person may still come back."""
        return self.returned_at is None and now < self.expires_at

    def opens(self, now: datetime) -> bool:
        """Whether its code may still be exchanged."""
        return self.code_expires_at is not None and self.code_used_at is None and now < self.code_expires_at


@dataclass(frozen=True)
class ForeignIdentity:
    """Who another provider says that somebody is. `subject` never changes there; everything else may.

    `second_factor` is whether they gave one there and the provider is trusted with that.
    """

    provider: str
    issuer: str
    subject: str
    email: str
    email_verified: bool
    full_name: str
    second_factor: bool = False


@dataclass(frozen=True)
class Identity:
    """A foreign identity that opens an account here."""

    id: UUID
    user_id: UUID
    provider: str
    issuer: str
    subject: str
    email: str
    linked_at: datetime
    last_used_at: datetime | None = None


def origin_of(url: str) -> str:
    """Scheme, host and port of an address, in lower case."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def return_address(wanted: str | None, public_url: str, allowed: Collection[str]) -> str:
    """Where to send a person after the sign-on: within `allowed` origins. Raises `ReturnAddressNotAllowed`.

    A path alone is on our own address. What browsers read otherwise than we do (backslashes, spaces, a user name before the
    host) is refused rather than understood.
    """
    base = public_url.rstrip("/")
    if not wanted:
        return f"{base}/"
    plain = wanted.isascii() and wanted.isprintable() and not set(wanted) & set(" \\") and len(wanted) <= 1000
    if plain and wanted.startswith("/") and not wanted.startswith("//"):
        return base + wanted
    try:
        parts = urlsplit(wanted)
        known = plain and parts.scheme in ("http", "https") and "@" not in parts.netloc and origin_of(wanted) in allowed
    except ValueError:
        known = False
    if not known:
        raise ReturnAddressNotAllowed(f"Use an address of {', '.join(sorted(allowed))}, or a path such as /signed-on.")
    return wanted


def with_outcome(return_to: str, **outcome: str) -> str:
    """The address to return to, telling the app how it went. Never a token: addresses end up in logs and histories."""
    parts = urlsplit(return_to)
    given = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in given if not name.startswith("sso_")]
    return urlunsplit(parts._replace(query=urlencode([*kept, *outcome.items()])))
