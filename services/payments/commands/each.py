"""Do something for many deposits or withdrawals, so that one that makes trouble does not hold up the others."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from uuid import UUID

_log = logging.getLogger(__name__)
_AT_ONCE = 4


async def for_each(ids: Iterable[UUID], do: Callable[[UUID], Awaitable[None]]) -> None:
    """Run `do` for every id, a few at once; what fails is logged, and due again at the next run."""
    free = asyncio.Semaphore(_AT_ONCE)

    async def one(found: UUID) -> None:
        async with free:
            try:
                await do(found)
            except Exception:
                _log.exception("this one has to wait for the next run", extra={"id": str(found)})

    await asyncio.gather(*(one(found) for found in ids))
