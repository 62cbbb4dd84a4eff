"""Small secrets inside messages: readable by the service that they are for, not in an outbox, a queue or a dead letter."""

import base64
import binascii
import json
from collections.abc import Mapping
from uuid import UUID

from shared.crypto.vault import Undecryptable, Vault


def seal_data(vault: Vault, data: Mapping[str, str], *, message_id: UUID) -> str:
    """`data` as text that opens only in the message `message_id`."""
    return base64.b64encode(vault.encrypt_text(json.dumps(dict(data)), aad=_place(message_id))).decode()


def open_data(vault: Vault, sealed: str, *, message_id: UUID) -> dict[str, str]:
    """What was sealed. Raises `Undecryptable`."""
    try:
        raw = base64.b64decode(sealed, validate=True)
    except (ValueError, binascii.Error):
        raise Undecryptable("this is not a sealed value") from None
    found: dict[str, str] = json.loads(vault.decrypt_text(raw, aad=_place(message_id)))
    return found


def _place(message_id: UUID) -> str:
    return f"message:{message_id}"
