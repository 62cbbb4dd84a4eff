"""The sandbox's webhooks: verified, and read into our words."""

from collections.abc import Mapping
from datetime import datetime

from services.payments.providers.base import ProviderEvent
from shared.webhooks import read_event


def parse_webhook(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> ProviderEvent:
    """The event in `body`. Raises `WebhookForged`, `WebhookStale`, `WebhookUnreadable`."""
    event = read_event(secret, headers, body, now)
    return ProviderEvent(key=event.key, type=event.type, reference=event.reference, body=event.body)
