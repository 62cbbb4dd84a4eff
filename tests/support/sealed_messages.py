"""What messages hold for the one service that they are for, opened with the key that everybody knows."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from shared.crypto import Vault, open_data, open_vault, seal_data

VAULT = open_vault(None, production=False)


def opened(payload: Mapping[str, Any], vault: Vault = VAULT) -> dict[str, Any]:
    """A payload as its receiver sees it: of a command to send something, `to` and `data`; others as they are."""
    if not payload.get("sealed") or "message_id" not in payload:
        return dict(payload)
    inside = open_data(vault, payload["sealed"], message_id=UUID(payload["message_id"]))
    clear = {name: value for name, value in payload.items() if name != "sealed"}
    return clear | {"to": inside.pop("to"), "data": inside}


def sealed(message_id: UUID, content: Mapping[str, str]) -> str:
    """What a sender puts into a command."""
    return seal_data(VAULT, content, message_id=message_id)
