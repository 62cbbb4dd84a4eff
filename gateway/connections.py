"""HTTP/1.1 to the services: connections that are used again, one request at a time on each.

A client library would take more of the gateway's time than all the rest of it (docs/adr/0013). Requests are bytes that
the edge has written itself; answers are read by httptools, the parser that reads the clients' requests too.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from typing import cast
from urllib.parse import urlsplit

import httptools

from gateway.answers import Answer, Broken, RawHeaders, Stale
from shared.deadline import Deadline

_HELD_BYTES = 256 * 1024
_HEAD_BYTES_MAX = 64 * 1024
"""For the head of an answer, and for whatever comes before it (103 Early Hints), however often."""
_VERSIONS = frozenset({"1.0", "1.1"})


class Unreachable(ConnectionError):
    """No connection to the service can be made: nothing of the request has reached it."""


class Connection(asyncio.Protocol):
    """One connection to a service."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._answer: Answer | None = None
        self._headers: RawHeaders = []
        self._head_bytes = 0
        self._interim = False
        self._keeps = False
        self._ended = False
        self._paused = False
        self._writable: asyncio.Future[None] | None = None
        self.patience = Deadline(self._late)
        """Of who waits for an answer, or for more of it. Cleared before anybody else can have the connection."""
        self.lost = False
        self.idle_since = 0.0
        self.answers = 0

    # What the edge does with it.

    def ask(self, request: bytes, answer: Answer) -> None:
        """Send a request, or the head of one."""
        self._answer = answer
        self._headers = answer.headers
        self._head_bytes = 0
        self._ended = False
        self._transport.write(request)

    async def send_body(self, pieces: AsyncGenerator[bytes, None], *, chunked: bool) -> None:
        """Send the body as it comes, no faster than the service takes it. Raises whatever `pieces` raises."""
        async with contextlib.aclosing(pieces):
            async for piece in pieces:
                self._transport.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                if self._writable is not None:
                    await self._writable
        if chunked:
            self._transport.write(b"0\r\n\r\n")

    def resume_reading(self) -> None:
        """What was held has been taken."""
        if self._paused:
            self._paused = False
            self._transport.resume_reading()

    def abort(self) -> None:
        """Close at once; whatever is under way has failed."""
        self.lost = True
        self._transport.abort()

    # What happens to it.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The service is there."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The service has closed, or the network has failed."""
        self.lost = True
        self.patience.close()
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        if self._answer is not None:
            answer, self._answer = self._answer, None
            answer.connection_ended(cleanly=exc is None)

    def pause_writing(self) -> None:
        """The service does not read as fast as the client sends."""
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """It has caught up."""
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    def data_received(self, data: bytes) -> None:
        """Something of an answer."""
        if self._answer is None:
            self.abort()  # nobody asked: whose answer could it be?
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._no_answer("it is not HTTP as we speak it")
            return
        if self._ended:
            self._over()
        elif not self._answer.status:
            self._head_bytes += len(data)
            if self._head_bytes > _HEAD_BYTES_MAX:
                self._no_answer("its head does not end")
        elif self._answer.held_bytes > _HELD_BYTES and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def _no_answer(self, why: str) -> None:
        answer, self._answer = self._answer, None
        self.abort()
        if answer is not None:
            answer.fail(Broken(f"the answer cannot be read: {why}"))

    def _over(self) -> None:
        """The answer is complete: the connection is free, unless somebody is in the middle of something."""
        answer, self._answer = self._answer, None
        if answer is not None and answer.sending is None and self._keeps and not self.lost:
            self.answers += 1
            self._pool.give_back(self)
        else:
            self.abort()
        if answer is not None:
            answer.end()

    def _late(self) -> None:
        if self._answer is not None:
            self._answer.fail(TimeoutError())

    # What the parser finds.

    def on_message_begin(self) -> None:
        """An answer begins: a second one is one too many."""
        if self._ended:
            raise Broken("more than one answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """All of the head."""
        status = self._parser.get_status_code()
        if not 100 <= status < 600 or status == 101 or self._parser.get_http_version() not in _VERSIONS:
            raise Broken("no status that we know, another protocol, or a switch to one")
        codings = [value.lower() for name, value in self._headers if name == b"transfer-encoding"]
        if codings and codings != [b"chunked"]:
            raise Broken("a coding that we would have to undo")
        self._keeps = self._parser.should_keep_alive()
        self._interim = status < 200
        if self._interim:
            self._headers.clear()
        else:
            self._asked().begin(status)

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._asked().add(body)

    def on_message_complete(self) -> None:
        """The end of the answer."""
        if not self._interim:
            self._ended = True

    def _asked(self) -> Answer:
        if self._answer is None:
            raise Broken("nobody has asked")
        return self._answer


class Pool:
    """The connections to one service. They open as they are needed."""

    def __init__(self, url: str, *, connect_seconds: float, idle_seconds: float) -> None:
        parsed = urlsplit(url)
        self._tls = parsed.scheme == "https"
        self._host, self._port = parsed.hostname or "", parsed.port or (443 if self._tls else 80)
        self._connect_seconds, self._idle_seconds = connect_seconds, idle_seconds
        self._idle: list[Connection] = []
        self._sweeping: asyncio.TimerHandle | None = None
        self.host = parsed.netloc.encode("ascii")
        self.path = parsed.path.rstrip("/").encode("ascii")

    async def ask(
        self,
        request: bytes,
        *,
        seconds: float,
        body: AsyncGenerator[bytes, None] | None = None,
        chunked: bool = False,
        fresh: bool = False,
    ) -> Answer:
        """Send `request`, and then `body` as it comes; the answer, whose head has come. To be closed by the caller.

        Raises `Unreachable`, `Stale`, `Broken`, `TimeoutError`, and whatever `body` raises.
        """
        connection = (None if fresh else self._waiting()) or await self._connected()
        answer = Answer(connection)
        connection.ask(request, answer)
        if body is not None:
            answer.sending = asyncio.create_task(connection.send_body(body, chunked=chunked), name="send body")
        try:
            await answer.head(seconds)
        except Broken as error:
            answer.close()
            if connection.answers and not answer.status:
                raise Stale("the service had closed the connection") from error
            raise
        except BaseException:
            answer.close()
            raise
        return answer

    def _waiting(self) -> Connection | None:
        """A connection that nobody uses, if there is one."""
        oldest = time.monotonic() - self._idle_seconds
        while self._idle:
            connection = self._idle.pop()
            if not connection.lost and connection.idle_since >= oldest:
                return connection
            connection.abort()
        return None

    async def _connected(self) -> Connection:
        """A new connection. Raises `Unreachable`."""
        try:
            async with asyncio.timeout(self._connect_seconds):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(self), self._host, self._port, ssl=self._tls or None
                )
        except (OSError, TimeoutError) as error:
            raise Unreachable(f"{type(error).__name__}") from error
        return connection

    def give_back(self, connection: Connection) -> None:
        """The connection is free again."""
        connection.idle_since = time.monotonic()
        self._idle.append(connection)
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(self._idle_seconds, self._sweep)

    def close(self) -> None:
        """Close what nobody uses."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        for connection in self._idle:
            connection.abort()
        self._idle.clear()

    def _sweep(self) -> None:
        oldest = time.monotonic() - self._idle_seconds
        kept = [one for one in self._idle if not one.lost and one.idle_since >= oldest]
        for connection in set(self._idle) - set(kept):
            connection.abort()
        self._idle = kept
        self._sweeping = asyncio.get_running_loop().call_later(self._idle_seconds, self._sweep) if kept else None
