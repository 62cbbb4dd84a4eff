"""A client's request body on its way through: bounded in size and in patience."""

import asyncio
from collections.abc import AsyncGenerator

from starlette.types import Receive

from gateway.json_shape import JsonShape, JsonTooComplex
from gateway.problems import BodyTooLarge
from shared.problems import Problem
from shared.problems.transport import RequestTimeout

HELD_BYTES = 64 * 1024
"""A body of at most this size is taken in whole before the service hears of it: slow clients then cost it nothing."""
_SLOWEST_BYTES_A_SECOND = 1024


class ClientLeft(Exception):
    """The client closed its connection; nobody waits for an answer."""


class RequestBody:
    """Reads the body of one request. `failure` is what went wrong with it, for whoever sees only that sending failed.

    Each piece may take `timeout_seconds`, and so may all of it, and beyond that a second for each kilobyte: who sends a
    byte now and then is not waited for.
    """

    def __init__(self, receive: Receive, *, limit_bytes: int, timeout_seconds: float, json: bool = False) -> None:
        self._receive = receive
        self._limit_bytes = limit_bytes
        self._timeout_seconds = timeout_seconds
        self._shape = JsonShape() if json else None
        self.failure: Problem | ClientLeft | None = None

    def check_length(self, content_length: int) -> None:
        """Raises `BodyTooLarge` for a body that says it is."""
        if content_length > self._limit_bytes:
            raise self._too_large()

    async def whole(self) -> bytes:
        """The body in one piece. Raises `BodyTooLarge`, `JsonTooComplex`, `RequestTimeout` or `ClientLeft`."""
        return b"".join([piece async for piece in self.pieces()])

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes. Raises as `whole` does."""
        started = asyncio.get_running_loop().time()
        size = 0
        more = True
        while more:
            piece, more = await self._next(started + self._timeout_seconds + size / _SLOWEST_BYTES_A_SECOND)
            size += len(piece)
            if size > self._limit_bytes:
                raise self._failed(self._too_large())
            if self._shape is not None:
                try:
                    self._shape.feed(piece)
                except JsonTooComplex as problem:
                    raise self._failed(problem) from None
            if piece:
                yield piece

    async def _next(self, deadline: float) -> tuple[bytes, bool]:
        latest = min(deadline, asyncio.get_running_loop().time() + self._timeout_seconds)
        try:
            async with asyncio.timeout_at(latest):
                message = await self._receive()
        except TimeoutError:
            raise self._failed(RequestTimeout("Send the request again, faster.", headers={"Connection": "close"})) from None
        if message["type"] == "http.disconnect":
            raise self._failed(ClientLeft())
        return message.get("body", b""), message.get("more_body", False)

    def _too_large(self) -> BodyTooLarge:
        # The connection stays open: closing it on a client that still sends would reset it before the answer is read.
        return BodyTooLarge(
            f"Send at most {self._limit_bytes} bytes to this address.",
            extra={"max_bytes": self._limit_bytes},
        )

    def _failed(self, failure: "Failure") -> "Failure":
        self.failure = failure
        return failure


Failure = Problem | ClientLeft
