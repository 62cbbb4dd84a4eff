"""Ends a forwarded request before its answer is complete: the client has left, or the gateway is stopping."""

import asyncio

from starlette.types import Receive

_UNWATCHED_SECONDS = 0.05
"""Most answers are there sooner; only what takes longer pays for a task that watches the client."""


class Interruption:
    """Cancels the task that made it, and says so in `happened`; then the cancellation is ours to swallow."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._task = asyncio.current_task()
        self._timer: asyncio.TimerHandle | None = None
        self._watcher: asyncio.Task[None] | None = None
        self.happened = False

    def watch_client(self) -> None:
        """Interrupt when the client leaves. Only once the request body has been read: both read the same messages."""
        self._timer = asyncio.get_running_loop().call_later(_UNWATCHED_SECONDS, self._start)

    def interrupt(self) -> None:
        """Stop what is being done."""
        if self._task is not None and not self.happened:
            self.happened = True
            self._task.cancel()

    def swallow(self) -> None:
        """The cancellation was ours: the task goes on as if it had not been cancelled."""
        if self._task is not None:
            self._task.uncancel()

    def over(self) -> None:
        """Nothing is left to interrupt."""
        self._task = None
        if self._timer is not None:
            self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()

    def _start(self) -> None:
        self._watcher = asyncio.get_running_loop().create_task(self._wait(), name="watch client")

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.interrupt()
