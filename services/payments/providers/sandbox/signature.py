"""How the sandbox provider signs its webhooks: HMAC-SHA256 over time and body, as card processors do.

The header is `Sandbox-Signature: t=<unix seconds>,v1=<hex>`, and the signed text is `<t>.<raw body>`. Both ends use this
module: the provider to sign, our adapter to verify.
"""

import hashlib
import hmac
import re
from datetime import datetime

HEADER = "sandbox-signature"
TOLERANCE_SECONDS = 300
_SHAPE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")


def sign(secret: str, signed_at: datetime, body: bytes) -> str:
    """The value of the signature header."""
    timestamp = int(signed_at.timestamp())
    return f"t={timestamp},v1={_digest(secret, timestamp, body)}"


def signed_at(secret: str, header: str, body: bytes) -> int | None:
    """The time in `header`, in unix seconds, if its signature of `body` is right; compared in constant time."""
    found = _SHAPE.fullmatch(header)
    if found is None:
        return None
    timestamp = int(found.group(1))
    return timestamp if hmac.compare_digest(_digest(secret, timestamp, body), found.group(2)) else None


def _digest(secret: str, timestamp: int, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
