"""Blind indexes: how a sealed value is found by equality without being opened.

An index is HMAC-SHA-256 of the value under a key that is derived from an encryption key and the index's own name. So whoever
has the table alone learns nothing by guessing, equal values in different tables do not look alike, and the index is made anew
together with the sealed value when keys are rotated.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.crypto.vault import Vault


@dataclass(frozen=True)
class BlindIndex:
    """The index in `column`, beside the sealed one. `label` makes its key: a table and column, never changed.

    `within` is a column of the same row that goes into the index: equal values look alike only where that is equal, too.
    """

    column: str
    label: str
    within: str | None = None

    def of(self, vault: Vault, plain: bytes, within: object = None) -> bytes:
        """32 bytes to be stored with the value, which is sealed under the same key."""
        return vault.derive(f"index {self.label}", self._data(plain, within))

    def all_of(self, vault: Vault, plain: bytes, within: object = None) -> Sequence[bytes]:
        """What may be stored for the value: one for each key, the active one's first."""
        data = self._data(plain, within)
        return [vault.derive(f"index {self.label}", data, key_id=key_id) for key_id in vault.key_ids]

    def _data(self, plain: bytes, within: object) -> bytes:
        return plain if self.within is None else f"{within}\n".encode() + plain
