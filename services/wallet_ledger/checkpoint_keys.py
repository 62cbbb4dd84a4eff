"""The keys that sign checkpoints: Ed25519, from the configuration, public halves for everybody.

They are of their own, not those of access tokens or of data at rest: whoever keeps checkpoints outside trusts them for years,
and they never enter the database, so that whoever can rewrite the ledger cannot sign for it.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.wallet_ledger.domain.checkpoint import Checkpoint, signed_bytes

VARIABLE = "LENDERY_LEDGER_CHECKPOINT_KEYS"
LOCAL_KEY_ID = "local"
_LOCAL_SEED = hashlib.sha256(b"lendery checkpoints: not a secret, for laptops and tests").digest()
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")
_SEED_BYTES = 32


class CheckpointKeys:
    """The first key signs; all are published. There may be none, in production."""

    def __init__(self, keys: Mapping[str, Ed25519PrivateKey]) -> None:
        self._keys = dict(keys)

    @property
    def can_sign(self) -> bool:
        """Whether there is a key."""
        return bool(self._keys)

    def sign(self, checkpoint: Checkpoint) -> dict[str, Any]:
        """The checkpoint's document, signed."""
        key_id, key = next(iter(self._keys.items()))
        document = checkpoint.document(key_id)
        return {**document, "signature": _encoded(key.sign(signed_bytes(document)))}

    def jwks(self) -> dict[str, Any]:
        """The public halves as a JSON Web Key Set (RFC 8037)."""
        return {
            "keys": [
                {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key_id, "x": _encoded(_public(key))}
                for key_id, key in self._keys.items()
            ]
        }


def open_checkpoint_keys(given: str | None, *, production: bool) -> CheckpointKeys:
    """The keys of `LENDERY_LEDGER_CHECKPOINT_KEYS`: `id:base64url of 32 random bytes`, comma-separated, the first signs.

    Without them a laptop has a key that everybody knows, and production none. Raises `ValueError`, never with key material.
    """
    if not given:
        return CheckpointKeys({} if production else {LOCAL_KEY_ID: Ed25519PrivateKey.from_private_bytes(_LOCAL_SEED)})
    keys: dict[str, Ed25519PrivateKey] = {}
    for number, item in enumerate(given.split(","), start=1):
        key_id, _, encoded = item.strip().partition(":")
        try:
            seed = _decoded(encoded)
        except ValueError:
            seed = b""
        if not _KEY_ID.fullmatch(key_id) or key_id in keys or len(seed) != _SEED_BYTES:
            raise ValueError(f"{VARIABLE}: item {number} must be id:base64url of 32 random bytes, each id once")
        if production and seed == _LOCAL_SEED:
            raise ValueError(f"{VARIABLE} holds the local key, which everybody knows")
        keys[key_id] = Ed25519PrivateKey.from_private_bytes(seed)
    return CheckpointKeys(keys)


def refused_because(document: Mapping[str, Any], jwks: Mapping[str, Any]) -> str | None:
    """Why the signature of a checkpoint is not one of these keys'; None when it is."""
    key_id = document.get("key_id")
    found = next((key for key in jwks.get("keys", ()) if key.get("kid") == key_id), None)
    if found is None:
        return f"it is signed with key {key_id!r}, which is not among the keys at hand"
    try:
        public = Ed25519PublicKey.from_public_bytes(_decoded(found["x"]))
        public.verify(_decoded(document["signature"]), signed_bytes(document))
    except (InvalidSignature, KeyError, TypeError, ValueError, AttributeError):
        return f"it was changed, or not signed with key {key_id!r}"
    return None


def _public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
