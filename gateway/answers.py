"""The answer of a service, while it arrives."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.connections import Connection

RawHeaders = list[tuple[bytes, bytes]]

_NO_BODY = frozenset({204, 304})


class Broken(ConnectionError):
    """The service closed the connection in the middle, or what it sent is not HTTP."""


class Stale(Broken):
    """The service closed a waiting connection just before it was used again, and has not answered a byte."""


class Answer:
    """Filled by its connection. `status` is 0 until the head of the answer has come; header names are in lower case."""

    __slots__ = (
        *("_connection", "_failure", "_loop", "_pieces", "_waiting"),
        *("complete", "headers", "held_bytes", "sending", "status"),
    )

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._pieces: list[bytes] = []
        self._waiting: asyncio.Future[None] | None = None
        self._failure: BaseException | None = None
        self.status = 0
        self.headers: RawHeaders = []
        self.held_bytes = 0
        self.complete = False
        self.sending: asyncio.Task[None] | None = None
        """What still sends the body of the request."""

    # What the edge does with it.

    async def head(self, seconds: float) -> None:
        """Wait for the head, at most `seconds` from the end of the request. Raises `TimeoutError`, `Broken`, and what
        went wrong with the request's body."""
        if self.sending is None:
            self._connection.patience.set(seconds)
        else:
            self.sending.add_done_callback(lambda sent: self._sent(sent, seconds))
        while not self.status:
            await self._change()

    def all_of_it(self) -> bytes | None:
        """The body, if it has come at once."""
        return self._pieces[0] if self.complete and len(self._pieces) == 1 else None

    async def whole(self, seconds: float) -> bytes:
        """The body, at most `seconds` between two pieces. Raises `TimeoutError` or `Broken`."""
        return b"".join([piece async for piece in self.pieces(seconds)])

    async def pieces(self, seconds: float) -> AsyncIterator[bytes]:
        """The body as it comes. Raises as `whole` does."""
        while True:
            if self._pieces:
                piece = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
                self._pieces.clear()
                self.held_bytes = 0
                self._connection.resume_reading()
                yield piece
            elif self.complete:
                return
            else:
                self._connection.patience.set(seconds)
                await self._change()

    def close(self) -> None:
        """Nobody wants more of it."""
        if self.sending is not None:
            self.sending.cancel()
        if not self.complete or self.sending is not None:
            self._connection.abort()

    # What its connection tells it.

    def begin(self, status: int) -> None:
        """The head is complete."""
        self.status = status
        self._wake()

    def add(self, piece: bytes) -> None:
        """A piece of the body has come."""
        self._pieces.append(piece)
        self.held_bytes += len(piece)
        self._wake()

    def end(self) -> None:
        """All of it has come."""
        self.complete = True
        self._wake()

    def fail(self, failure: BaseException) -> None:
        """Nothing more will come."""
        if self._failure is None and not self.complete:
            self._failure = failure
            self._wake()

    def connection_ended(self, *, cleanly: bool) -> None:
        """The connection is closed: the end of an answer that does not say where else it ends."""
        if self.status and cleanly and self._ends_with_connection():
            self.end()
        else:
            self.fail(Broken("the connection was closed"))

    def _ends_with_connection(self) -> bool:
        framed = any(
            name == b"content-length" or (name == b"transfer-encoding" and value.lower().endswith(b"chunked"))
            for name, value in self.headers
        )
        return not framed and self.status not in _NO_BODY

    async def _change(self) -> None:
        """Wait until something has happened. Raises the failure, once everything that came before it has been taken."""
        if self._failure is None:
            self._waiting = self._loop.create_future()
            await self._waiting
        if self._failure is not None and not self._pieces:
            raise self._failure

    def _wake(self) -> None:
        self._connection.patience.clear()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _sent(self, sending: "asyncio.Task[None]", seconds: float) -> None:
        if self.sending is sending:
            self.sending = None
        if sending.cancelled():
            return
        if (failure := sending.exception()) is not None:
            self.fail(failure)
        elif not self.status and self._failure is None:
            self._connection.patience.set(seconds)
