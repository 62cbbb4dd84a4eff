"""What messages hold for their receivers alone, opened with the key that everybody knows."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from shared.crypto import Vault, open_data, open_vault, seal_data

VAULT = open_vault(None, production=False)


def opened(envelope: Mapping[str, Any], vault: Vault = VAULT) -> dict[str, Any]:
    """A payload as its receiver sees it: with the fields that were sealed; of a command to send something, `to` and `data`."""
    payload: dict[str, Any] = envelope["data"]
    if not isinstance(payload.get("sealed"), str) or envelope["type"] == "auth.export.deliver_part":
        return payload
    clear = {name: value for name, value in payload.items() if name != "sealed"}
    inside = open_data(vault, payload["sealed"], message_id=UUID(payload.get("message_id", envelope["id"])))
    return clear | ({"to": inside.pop("to"), "data": inside} if "message_id" in payload else inside)


def sealed(message_id: UUID, content: Mapping[str, str]) -> str:
    """What a sender puts into a command."""
    return seal_data(VAULT, content, message_id=message_id)
