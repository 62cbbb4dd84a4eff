"""The sandbox's webhooks: verified, and read into our words."""

import json
from collections.abc import Mapping
from datetime import datetime

from services.payments.providers.base import ProviderEvent, WebhookForged, WebhookStale, WebhookUnreadable
from services.payments.providers.sandbox.signature import HEADER, TOLERANCE_SECONDS, signed_at


def parse_webhook(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> ProviderEvent:
    """The event in `body`. The signature counts for its very bytes, so they are verified before anything is read."""
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
    return ProviderEvent(key=key, type=kind, reference=reference, body=event)
