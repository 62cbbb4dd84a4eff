"""Answers whose time tells nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def at_least(seconds: float) -> AsyncIterator[None]:
    """Leave the block no sooner than this: longer than either of two ways through it takes, so that they look alike."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    yield
    await asyncio.sleep(max(deadline - loop.time(), 0))
