"""A checkpoint: where the ledger stood, in a few lines that can be kept elsewhere and compared with it later."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

TYPE, VERSION = "lendery.ledger.checkpoint", 1
ALGORITHM = "Ed25519"

Totals = Mapping[str, Mapping[str, int]]
"""By currency: `debits`, `credits`, `pending_debits` and `pending_credits` of all accounts together, minor units."""


class NotACheckpoint(ValueError):
    """The document is no checkpoint, or none of a kind that is understood here; the message says why."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The ledger up to and including transaction `sequence`, which ends block `block`."""

    made_at: datetime
    sequence: int
    block: int
    block_hash: bytes
    trial_balance: Totals

    def document(self, key_id: str) -> dict[str, Any]:
        """What is signed: JSON without floats, and amounts as text, since many programs round large numbers."""
        return {
            "type": TYPE,
            "version": VERSION,
            "made_at": self.made_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "sequence": self.sequence,
            "block": self.block,
            "block_hash": self.block_hash.hex(),
            "trial_balance": {
                currency: {name: str(amount) for name, amount in amounts.items()}
                for currency, amounts in self.trial_balance.items()
            },
            "algorithm": ALGORITHM,
            "key_id": key_id,
        }


def signed_bytes(document: Mapping[str, Any]) -> bytes:
    """The bytes that the signature is over: the members but `signature`, keys in order, no spaces, UTF-8 (RFC 8785)."""
    members = {name: value for name, value in document.items() if name != "signature"}
    return json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def checkpoint_in(document: Any) -> Checkpoint:
    """The checkpoint in a document, whose signature is another question. Raises `NotACheckpoint`."""
    if not isinstance(document, dict) or document.get("type") != TYPE:
        raise NotACheckpoint("it is not a checkpoint of a ledger")
    if document.get("version") != VERSION or document.get("algorithm") != ALGORITHM:
        raise NotACheckpoint("it is of another version")
    try:
        return Checkpoint(
            datetime.fromisoformat(document["made_at"]),
            int(document["sequence"]),
            int(document["block"]),
            bytes.fromhex(document["block_hash"]),
            {
                str(currency): {str(name): int(amount) for name, amount in amounts.items()}
                for currency, amounts in document["trial_balance"].items()
            },
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotACheckpoint(f"its members are not as they should be: {error!r}") from error
