"""AES-256-GCM with key ids: new values use the active key, old ones name the key that opens them.

A sealed value is: one byte version (1), one byte length of the key id, the key id, 12 bytes nonce, ciphertext with tag.
The associated data (`aad`) says where the value belongs, such as `kyc_submissions.details:<id>`; a value copied to
another row or column does not open there.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = 1
_NONCE_BYTES = 12
_KEY_BYTES = 32
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")

LOCAL_KEY_ID = "local"
_LOCAL_KEY = hashlib.sha256(b"lendery: not a secret, for laptops and tests").digest()


class Undecryptable(Exception):
    """The value was sealed under a key we do not have, for another place, or was changed."""


class Vault:
    """Seals and opens values. `keys` are 32 bytes each, by id; `active` is the id that seals."""

    def __init__(self, keys: Mapping[str, bytes], active: str) -> None:
        if active not in keys:
            raise ValueError(f"the active encryption key {active!r} is not among the keys")
        for key_id, key in keys.items():
            if not _KEY_ID.fullmatch(key_id):
                raise ValueError("an encryption key's id must be 1 to 32 letters, digits, dots, dashes or underscores")
            if len(key) != _KEY_BYTES:
                raise ValueError(f"the encryption key {key_id!r} must be {_KEY_BYTES} bytes")
        self._keys = dict(keys)
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self.active_key_id = active

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Every key that opens, the active one first."""
        return (self.active_key_id, *(key_id for key_id in self._keys if key_id != self.active_key_id))

    def encrypt(self, plain: bytes, *, aad: str) -> bytes:
        """`plain`, sealed under the active key for the place that `aad` names."""
        key_id = self.active_key_id.encode()
        header = bytes((_VERSION, len(key_id))) + key_id
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return header + nonce + self._ciphers[self.active_key_id].encrypt(nonce, plain, header + aad.encode())

    def decrypt(self, sealed: bytes, *, aad: str) -> bytes:
        """What was sealed. Raises `Undecryptable`."""
        key_id = self.key_id_of(sealed)
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise Undecryptable(f"there is no encryption key {key_id!r}; add it to LENDERY_ENCRYPTION_KEYS")
        start = 2 + len(key_id)
        header, nonce, body = sealed[:start], sealed[start : start + _NONCE_BYTES], sealed[start + _NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, body, header + aad.encode())
        except (InvalidTag, ValueError) as error:
            raise Undecryptable("the value was changed, or belongs somewhere else") from error

    def encrypt_text(self, plain: str, *, aad: str) -> bytes:
        """`plain` as UTF-8, sealed."""
        return self.encrypt(plain.encode(), aad=aad)

    def decrypt_text(self, sealed: bytes, *, aad: str) -> str:
        """The text that was sealed. Raises `Undecryptable`."""
        return self.decrypt(sealed, aad=aad).decode()

    @staticmethod
    def key_id_of(sealed: bytes) -> str:
        """The id of the key that opens `sealed`. Raises `Undecryptable` when it is no sealed value."""
        if len(sealed) < 2 or sealed[0] != _VERSION or len(sealed) < 2 + sealed[1] + _NONCE_BYTES:
            raise Undecryptable("this is not a sealed value")
        try:
            return sealed[2 : 2 + sealed[1]].decode("ascii")
        except UnicodeDecodeError as error:
            raise Undecryptable("this is not a sealed value") from error

    def derive(self, label: str, data: bytes, *, key_id: str | None = None) -> bytes:
        """32 bytes that only a holder of the key (default: the active one) can compute; different for each `label`."""
        key = hmac.digest(self._keys[key_id or self.active_key_id], f"derive {label}".encode(), "sha256")
        return hmac.digest(key, data, "sha256")


def open_vault(encryption_keys: str | None, *, production: bool) -> Vault:
    """The vault of `LENDERY_ENCRYPTION_KEYS`: `id:base64url of 32 bytes`, comma-separated, the first is active.

    Without keys a laptop or a test gets a key that everybody knows. Production refuses to start without keys, and with
    that one. Raises `ValueError` saying what to correct; never with key material in it.
    """
    if not encryption_keys:
        if production:
            raise ValueError("LENDERY_ENCRYPTION_KEYS is needed when LENDERY_ENV=production: id:base64url of 32 random bytes")
        return Vault({LOCAL_KEY_ID: _LOCAL_KEY}, LOCAL_KEY_ID)
    keys: dict[str, bytes] = {}
    for number, item in enumerate(encryption_keys.split(","), start=1):
        key_id, colon, encoded = item.strip().partition(":")
        if not colon or key_id in keys:
            raise ValueError(f"LENDERY_ENCRYPTION_KEYS: item {number} must be id:base64url, each id once")
        keys[key_id] = _decoded(encoded, number)
    if production and _LOCAL_KEY in keys.values():
        raise ValueError("LENDERY_ENCRYPTION_KEYS holds the local key, which everybody knows")
    return Vault(keys, next(iter(keys)))


def _decoded(encoded: str, number: int) -> bytes:
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise ValueError(f"LENDERY_ENCRYPTION_KEYS: item {number} is not base64url") from None
