"""What a place for files can do."""

import logging
import re
from typing import Protocol

from shared.problems import ServiceUnavailable

_log = logging.getLogger(__name__)

_KEY = re.compile(r"[a-z0-9_-]+(?:/[a-z0-9_-]+){0,5}")


class FileMissing(Exception):
    """There is no file of this name."""


class StoreUnavailable(ServiceUnavailable):
    """The place cannot be reached or refuses us; trying again later may help. What is wrong there stays in our logs."""

    def __init__(self) -> None:
        super().__init__("Files cannot be read or kept right now. Try again in a moment.", headers={"Retry-After": "10"})


def unavailable(error: Exception) -> StoreUnavailable:
    """What to raise for a failure of the place, which is logged."""
    _log.error("the place where files are kept cannot be used", extra={"why": f"{type(error).__name__}: {error}"})
    return StoreUnavailable()


class FileStore(Protocol):
    """Whole files by key: parts of lower-case letters, digits, `_` and `-`, separated by `/`."""

    async def put(self, key: str, content: bytes) -> None:
        """Keep `content`, in place of what was there. Once this returns it stays, whatever happens to the process.

        Raises `StoreUnavailable`.
        """
        ...

    async def get(self, key: str) -> bytes:
        """The content. Raises `FileMissing`, `StoreUnavailable`."""
        ...

    async def delete(self, key: str) -> None:
        """Forget the file; one that is not there is no failure. Raises `StoreUnavailable`."""
        ...


def checked(key: str) -> str:
    """`key`, which is one. Raises `ValueError`: keys are made by us, never by a client."""
    if len(key) > 200 or not _KEY.fullmatch(key):
        raise ValueError("not a key of a file")
    return key
