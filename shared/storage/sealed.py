"""Files that leave the process sealed only."""

from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from shared.crypto import Vault
from shared.storage.base import FileStore
from shared.storage.disk import DiskStore


class SealedFiles:
    """Seals each file under the active key, for its own name: a file copied to another name does not open there."""

    def __init__(self, store: FileStore, vault: Vault) -> None:
        self._store = store
        self._vault = vault

    async def put(self, key: str, plain: bytes) -> None:
        """Seal and keep."""
        await self._store.put(key, self._vault.encrypt(plain, aad=_place(key)))

    async def get(self, key: str) -> bytes:
        """The opened content. Raises `FileMissing`, `StoreUnavailable`, `Undecryptable`."""
        return self._vault.decrypt(await self._store.get(key), aad=_place(key))

    async def delete(self, key: str) -> None:
        """Forget the file; one that is not there is no failure."""
        await self._store.delete(key)

    async def reseal(self, key: str) -> bool:
        """Seal under the active key what another one sealed; whether that was needed. Raises `FileMissing`."""
        sealed = await self._store.get(key)
        if self._vault.key_id_of(sealed) == self._vault.active_key_id:
            return False
        await self.put(key, self._vault.decrypt(sealed, aad=_place(key)))
        return True


def _place(key: str) -> str:
    return f"file:{key}"


def open_store(url: str) -> FileStore:
    """The store of an address. Raises `ValueError` saying what to correct."""
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return DiskStore(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        from shared.storage.s3 import S3Store

        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        return S3Store(parts.netloc, parts.path, endpoint=options.get("endpoint"), region=options.get("region"))
    raise ValueError("LENDERY_STORAGE_URL must be file:///directory or s3://bucket/prefix?endpoint=…&region=…")


def open_files(url: str, vault: Vault) -> SealedFiles:
    """The sealed files at an address. Raises `ValueError`."""
    return SealedFiles(open_store(url), vault)
