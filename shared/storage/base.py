"""What a place for files can do."""

import re
from typing import Protocol

_KEY = re.compile(r"[a-z0-9_-]+(?:/[a-z0-9_-]+){0,5}")


class FileMissing(Exception):
    """There is no file of this name."""


class StoreUnavailable(Exception):
    """The place cannot be reached or refuses us; trying again later may help."""


class FileStore(Protocol):
    """Whole files by key: parts of lower-case letters, digits, `_` and `-`, separated by `/`."""

    async def put(self, key: str, content: bytes) -> None:
        """Keep `content`, in place of what was there. Once this returns it stays, whatever happens to the process."""
        ...

    async def get(self, key: str) -> bytes:
        """The content. Raises `FileMissing`, `StoreUnavailable`."""
        ...

    async def delete(self, key: str) -> None:
        """Forget the file; one that is not there is no failure."""
        ...


def checked(key: str) -> str:
    """`key`, which is one. Raises `ValueError`: keys are made by us, never by a client."""
    if len(key) > 200 or not _KEY.fullmatch(key):
        raise ValueError("not a key of a file")
    return key
