"""Webhooks that companies send us: the raw body, the signature over it, and what is refused.

Our sandboxes sign as card processors do, with HMAC-SHA256 over time and body: the header is
`Sandbox-Signature: t=<unix seconds>,v1=<hex>`, the signed text `<t>.<raw body>`. Both ends use this module.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Request

from shared.problems import Problem

HEADER = "sandbox-signature"
TOLERANCE_SECONDS = 300
MAX_BYTES = 64 * 1024
_SHAPE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")


class WebhookForged(Problem):
    """The signature of a webhook is missing or wrong."""

    status = 401
    code = "webhook_signature_invalid"
    title = "The webhook's signature is not right"


class WebhookStale(Problem):
    """The webhook was signed too long ago, or in the future."""

    status = 400
    code = "webhook_timestamp_invalid"
    title = "The webhook was not signed just now"


class WebhookUnreadable(Problem):
    """The signature is right, but the body is not an event."""

    status = 400
    code = "webhook_unreadable"
    title = "The webhook's body is not an event"


class WebhookTooLarge(Problem):
    """A webhook body beyond any that a provider sends."""

    status = 413
    code = "webhook_too_large"
    title = "The webhook's body is too large"


@dataclass(frozen=True)
class SignedEvent:
    """What our sandboxes send. `key` is the same for each repetition; `reference` is ours."""

    key: str
    type: str
    reference: str
    body: Mapping[str, Any]


async def raw_body(request: Request) -> bytes:
    """The very bytes, which is what was signed. Raises `WebhookTooLarge`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise WebhookTooLarge(f"Send at most {MAX_BYTES} bytes.")
    return bytes(body)


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


def read_event(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> SignedEvent:
    """The event in `body`; header names are lower case. The signature counts for the bytes: it is verified before they are read.

    Raises `WebhookForged`, `WebhookStale`, `WebhookUnreadable`.
    """
    timestamp = signed_at(secret, headers.get(HEADER, ""), body)
    if timestamp is None:
        raise WebhookForged("Sign the raw body with the secret we share, in the header Sandbox-Signature.")
    if abs(now.timestamp() - timestamp) > TOLERANCE_SECONDS:
        raise WebhookStale(f"The signature's time must be within {TOLERANCE_SECONDS} s of ours. Sign again and resend.")
    try:
        event = json.loads(body)
        key, kind, reference = event["id"], event["type"], event["data"]["reference"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise WebhookUnreadable("The body must be a JSON object with id, type and data.reference.") from error
    if not all(isinstance(text, str) and 0 < len(text) <= 200 for text in (key, kind, reference)):
        raise WebhookUnreadable("id, type and data.reference must be texts of 1 to 200 characters.")
    return SignedEvent(key=key, type=kind, reference=reference, body=event)


def _digest(secret: str, timestamp: int, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
