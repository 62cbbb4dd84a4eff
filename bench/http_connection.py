"""A connection over which a request is sent and its answer awaited, both as bytes."""

import asyncio
from typing import cast

_LENGTH = b"content-length:"


class UnexpectedAnswer(Exception):
    """Something else came back than was asked for."""


class Connection(asyncio.Protocol):
    """One connection, with one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._received = b""
        self._answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is one without saying so

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError())

    def data_received(self, data: bytes) -> None:
        """Hand over the answer once all of it is there. The servers measured here always say its length."""
        self._received += data
        head_end = self._received.find(b"\r\n\r\n")
        if head_end < 0 or self._answer is None:
            return
        head = self._received[:head_end].lower()
        at = head.find(_LENGTH)
        if at < 0:
            self._answer.set_exception(UnexpectedAnswer(f"an answer without a length: {head[:500]!r}"))
            return
        length = int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0])
        if len(self._received) >= head_end + 4 + length:
            answer, self._received = self._received, b""
            self._answer.set_result(answer)

    async def ask(self, request: bytes) -> bytes:
        """Send a request; its whole answer. Raises `OSError` when the connection is lost."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer
