"""Codes of authenticator apps (RFC 6238): six digits of HMAC-SHA-1 over steps of 30 seconds, as every app makes them."""

import base64
import hmac
from datetime import datetime
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP

SECRET_BYTES = 20
DIGITS = 6
STEP_SECONDS = 30
_TOLERATED_STEPS = 1  # a clock that is half a minute off, or a code typed at its end


def step_at(now: datetime) -> int:
    """The number of the time step."""
    return int(now.timestamp()) // STEP_SECONDS


def code_of(secret: bytes, step: int) -> str:
    """The code that an app with this key shows in that time step."""
    # HMAC-SHA-1 is what apps implement; collisions of SHA-1 do not matter to it.
    return HOTP(secret, DIGITS, SHA1()).generate(step).decode()  # noqa: S303


def matching_step(secret: bytes, code: str, now: datetime, last_step: int | None) -> int | None:
    """The time step that `code` belongs to: the present one or a neighbour, later than the last that was taken, or None."""
    present = step_at(now)
    found = None
    for step in range(present - _TOLERATED_STEPS, present + _TOLERATED_STEPS + 1):
        same = hmac.compare_digest(code_of(secret, step).encode(), code.encode())
        if same and (last_step is None or step > last_step):
            found = step
    return found


def secret_text(secret: bytes) -> str:
    """The key as apps take it when it is typed."""
    return base64.b32encode(secret).decode()


def otpauth_uri(secret: bytes, *, account: str, issuer: str) -> str:
    """What the QR code says."""
    label = quote(f"{issuer}:{account}", safe=":@")
    query = {"secret": secret_text(secret), "issuer": issuer, "algorithm": "SHA1", "digits": DIGITS, "period": STEP_SECONDS}
    return f"otpauth://totp/{label}?{urlencode(query)}"
