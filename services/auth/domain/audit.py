"""The record of who did what: an entry, and the chain of hashes that holds the entries together."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.contracts.auth.audit_events import ActionTaken, ActorKind

FIRST_PREVIOUS_HASH = bytes(32)
"""What stands for the hash before the first entry."""


@dataclass(frozen=True)
class AuditEntry:
    """`action` is `thing.verb`; `before` and `after` hold what changed: see `ActionTaken` for what they never hold."""

    id: UUID
    happened_at: datetime
    service: str
    action: str
    actor_kind: ActorKind
    actor_id: UUID | None
    subject_kind: str
    subject_id: str | None
    address: str | None
    request_id: str | None
    trace_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None

    @classmethod
    def of(cls, event: ActionTaken) -> "AuditEntry":
        """What a service reported."""
        values = event.model_dump()
        return cls(happened_at=values.pop("at"), **values)


@dataclass(frozen=True)
class ChainedEntry:
    """An entry in its place. `hash` is the SHA-256 of `previous_hash` and the entry's canonical JSON, place included."""

    position: int
    entry: AuditEntry
    previous_hash: bytes
    hash: bytes

    @property
    def expected_hash(self) -> bytes:
        """What `hash` must be if nobody touched the entry."""
        return hash_of(self.position, self.entry, self.previous_hash)


def chained(entry: AuditEntry, position: int, previous_hash: bytes) -> ChainedEntry:
    """`entry` in its place, its JSON in the form that a database gives back unchanged."""
    plain = AuditEntry(**{**asdict(entry), "before": _storable(entry.before), "after": _storable(entry.after)})
    return ChainedEntry(position, plain, previous_hash, hash_of(position, plain, previous_hash))


def hash_of(position: int, entry: AuditEntry, previous_hash: bytes) -> bytes:
    """The link that follows `previous_hash`."""
    return hashlib.sha256(previous_hash + canonical(position, entry)).digest()


def canonical(position: int, entry: AuditEntry) -> bytes:
    """The entry as JSON that has one form only: keys sorted, no spaces, instants in UTC with microseconds."""
    values = {
        **asdict(entry),
        "position": position,
        "id": str(entry.id),
        "actor_id": str(entry.actor_id) if entry.actor_id else None,
        "happened_at": entry.happened_at.astimezone(UTC).isoformat(timespec="microseconds"),
    }
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _storable(value: Any) -> Any:
    """JSON without what `jsonb` would refuse or write otherwise: NUL characters, and numbers that are no integers."""
    if isinstance(value, dict):
        return {_storable(str(key)): _storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    if value is None or isinstance(value, bool | int):
        return value
    return str(value).replace("\x00", "\N{REPLACEMENT CHARACTER}")
