"""Sessions of browsers: which cookies hold them, and the token that proves that a request is from our own pages.

A browser sends cookies along with whatever another site makes it send. So a session that comes by cookie counts, where
something is changed, only with its CSRF token in `X-CSRF-Token`: other sites can neither read it nor set that header. The
access token holds the token's digest (claim `csrf`), so that it is signed, and bound to the session.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Carrier = Literal["bearer", "cookie"]
"""How a client holds a session: tokens that it keeps itself, or cookies that its scripts cannot read."""

MODE_HEADER = "X-Session-Mode"
CSRF_HEADER = "X-CSRF-Token"


@dataclass(frozen=True)
class CookieNames:
    """The cookies of a session. `secure` ones are sent over TLS only, and `__Host-` binds them to exactly this host."""

    access: str
    refresh: str
    csrf: str
    secure: bool

    @property
    def all(self) -> tuple[str, ...]:
        """Every one of them."""
        return (self.access, self.refresh, self.csrf)


def cookie_names(public_url: str) -> CookieNames:
    """The cookies of the platform at `public_url`. Without TLS, which only a laptop is, browsers refuse `__Host-`."""
    secure = public_url.startswith("https://")
    prefix = "__Host-" if secure else ""
    return CookieNames(f"{prefix}lendery_access", f"{prefix}lendery_refresh", f"{prefix}lendery_csrf", secure)


def csrf_digest(csrf_token: str) -> str:
    """What the access token says of the CSRF token of its session."""
    return hashlib.sha256(csrf_token.encode()).hexdigest()


def csrf_matches(csrf_token: str | None, digest: str) -> bool:
    """Whether this is the token that `digest` was made of. Takes as long for every answer."""
    return csrf_token is not None and hmac.compare_digest(csrf_digest(csrf_token), digest)


def cookie_value(headers: Iterable[tuple[bytes, bytes]], name: str) -> str | None:
    """The value of a cookie in raw headers; None without it, and when it came twice: then somebody else set one of them."""
    wanted, found = name.encode(), None
    for key, header in headers:
        if key != b"cookie":
            continue
        for pair in header.split(b";"):
            cookie, _, value = pair.strip().partition(b"=")
            if cookie == wanted:
                if found is not None:
                    return None
                found = value
    return found.decode("latin-1") if found else None
