"""A time by which something must have happened, set anew again and again: by each request of a connection, for example.

Setting a timer of the event loop and taking it back costs as much as parsing a small request. Here one timer runs on, and
looks, when it is due, whether it still is.
"""

import asyncio
from collections.abc import Callable


class Deadline:
    """Calls `late` once, when what was set last has passed and was not cleared."""

    __slots__ = ("_at", "_late", "_loop", "_timer", "_timer_at")

    def __init__(self, late: Callable[[], None]) -> None:
        self._late = late
        self._loop = asyncio.get_running_loop()
        self._at: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0

    def set(self, seconds: float) -> None:
        """From now on there are so many seconds."""
        self._at = self._loop.time() + seconds
        if self._timer is None or self._at < self._timer_at:
            self._arm(self._at)

    def clear(self) -> None:
        """It has happened."""
        self._at = None

    def close(self) -> None:
        """Nothing is waited for any more."""
        self._at = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._loop.call_at(at, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._at is None:
            return
        if self._at > self._loop.time():
            self._arm(self._at)
        else:
            self._at = None
            self._late()
