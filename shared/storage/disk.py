"""Files in a directory of this machine, or of a volume that every replica mounts."""

import asyncio
import os
import secrets
from contextlib import suppress
from pathlib import Path

from shared.storage.base import FileMissing, checked, unavailable


class DiskStore:
    """One file a key below `directory`, readable by us alone. A file is there whole or not at all."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def put(self, key: str, content: bytes) -> None:
        """Write beside, flush to the disk, then put into place."""
        await asyncio.to_thread(self._write, self._path(key), content)

    async def get(self, key: str) -> bytes:
        """The content. Raises `FileMissing`, `StoreUnavailable`."""
        try:
            return await asyncio.to_thread(self._path(key).read_bytes)
        except FileNotFoundError:
            raise FileMissing(key) from None
        except OSError as error:
            raise unavailable(error) from error

    async def delete(self, key: str) -> None:
        """Remove the file."""
        try:
            await asyncio.to_thread(self._path(key).unlink, missing_ok=True)
        except OSError as error:
            raise unavailable(error) from error

    def _path(self, key: str) -> Path:
        return self._directory / checked(key)

    def _write(self, path: Path, content: bytes) -> None:
        beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
            _sync(path.parent)
        except OSError as error:
            with suppress(OSError):
                beside.unlink()
            raise unavailable(error) from error


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
