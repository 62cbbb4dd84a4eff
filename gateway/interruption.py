"""Ends a forwarded request before its answer is complete: the client has left, or the gateway is stopping."""

import asyncio

from starlette.types import Scope


class Interruption:
    """Cancels the task that made it, and says so in `happened`; then the cancellation is ours to swallow."""

    __slots__ = ("_connection", "_task", "happened")

    def __init__(self, scope: Scope) -> None:
        self._connection = scope.get("connection")
        self._task = asyncio.current_task()
        self.happened = False

    def watch_client(self) -> None:
        """Interrupt when the client leaves."""
        if self._connection is not None:
            self._connection.when_client_leaves(self.interrupt)

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
