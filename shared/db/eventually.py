"""Reads of what another service told us a moment ago.

A projection lags its owner's event by some milliseconds. A person who was approved, or who opened a wallet, in the
request before must not be told that it is not so: such reads are tried again for a short while before the answer no.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

_PAUSE_SECONDS = 0.03


async def eventually(read: Callable[[], Awaitable[T | None]], *, timeout_seconds: float = 2.0) -> T | None:
    """The first answer of `read` that is not None, or None when `timeout_seconds` passed without one."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_seconds
    while True:
        found = await read()
        if found is not None or loop.time() >= deadline:
            return found
        await asyncio.sleep(_PAUSE_SECONDS)
