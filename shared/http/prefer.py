"""`Prefer: wait=N` (RFC 7240): hold the answer to asynchronous work until it settles."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from fastapi import Depends, Header, Response

from shared.http.errors import problem_of
from shared.problems import ServiceUnavailable

T = TypeVar("T")

MAX_WAIT_SECONDS = 30
_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 0.25
_WAIT = re.compile(r"(?:^|,|;)\s*wait\s*=\s*\"?(\d{1,4})\"?\s*(?:$|,|;)", re.IGNORECASE)


async def _wait_seconds(
    prefer: Annotated[str | None, Header(description="`wait=N`: hold the answer up to N ≤ 30 seconds")] = None,
) -> int:
    found = _WAIT.search(prefer or "")
    return min(int(found.group(1)), MAX_WAIT_SECONDS) if found else 0


WaitSeconds = Annotated[int, Depends(_wait_seconds)]
"""Endpoint parameter: how long the client is ready to wait; 0 when it did not say."""


async def settle(wait_seconds: float, response: Response, read: Callable[[], Awaitable[T]], settled: Callable[[T], bool]) -> T:
    """What `read` gives once `settled` says so or `wait_seconds` have passed; notes the preference on `response`.

    The work goes on while nobody can look: a read that fails for want of the database is done again while there is time.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_seconds
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            found = await read()
        except Exception as error:
            if loop.time() >= deadline or problem_of(error).status != ServiceUnavailable.status:
                raise
        else:
            if settled(found) or loop.time() >= deadline:
                break
        await asyncio.sleep(min(pause, max(deadline - loop.time(), 0)))
        pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
    if wait_seconds:
        response.headers["Preference-Applied"] = f"wait={wait_seconds:.0f}"
    return found
