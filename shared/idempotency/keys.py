"""Keys, fingerprints and answers: the vocabulary of idempotent requests. Pure."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shared.problems import Problem

UNREAD = object()
"""No JSON value, not even null."""
_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]{1,255}")
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


class KeyMissing(Problem):
    """A request that moves money came without a key."""

    status = 400
    code = "idempotency_key_missing"
    title = "Send an Idempotency-Key"


class KeyInvalid(Problem):
    """The key is empty, too long or has characters that are not visible ASCII."""

    status = 400
    code = "idempotency_key_invalid"
    title = "The Idempotency-Key must be 1 to 255 visible ASCII characters"


class KeyReused(Problem):
    """The key was used before, for another request."""

    status = 422
    code = "idempotency_key_reused"
    title = "This Idempotency-Key was used for another request"


class KeyInUse(Problem):
    """The first request with this key is still running."""

    status = 409
    code = "idempotency_key_in_use"
    title = "The first request with this Idempotency-Key is still running"


@dataclass(frozen=True)
class IdempotentRequest:
    """A request that must have its effect once. `owner` is the user; keys of different users never meet."""

    owner: str
    key: str
    fingerprint: bytes


@dataclass(frozen=True)
class Answer:
    """The answer to an idempotent request, as it is kept and sent again."""

    status: int
    body: dict[str, Any]
    replayed: bool = False
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    def settled(self, body: dict[str, Any], headers: Mapping[str, str]) -> "Answer":
        """This answer held back until its resource settled: the same, with what the resource is now."""
        return replace(self, body=body, headers={**self.headers, **headers})


def checked_key(key: str | None) -> str:
    """The key, if it is one. Raises `KeyMissing` or `KeyInvalid`."""
    if key is None:
        raise KeyMissing("Send a new random value, such as a UUID, in the Idempotency-Key header, and keep it for retries.")
    if not _VISIBLE_ASCII.fullmatch(key):
        raise KeyInvalid("Use a random value such as a UUID.")
    return key


def fingerprint(method: str, path: str, body: bytes, value: object = UNREAD) -> bytes:
    """32 bytes that two requests share exactly when they ask for the same thing: method, path and JSON value.

    `value` is what the body says as JSON, where somebody has read it already.
    """
    try:
        canonical = _canonical(json.loads(body) if value is UNREAD else value).encode() if body else b""
    except (ValueError, RecursionError):
        canonical = body
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), canonical))).digest()
