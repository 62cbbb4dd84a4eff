"""The gateway's own HTTP client against a service that speaks bytes: framing, closing, and what must never be reused."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from gateway.answers import Broken, Stale
from gateway.connections import Pool, Unreachable

REQUEST = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def service(serve: Serve) -> AsyncIterator[Pool]:
    """A pool of connections to a server that does as `serve` says."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    pool = Pool(f"http://127.0.0.1:{port}", connect_seconds=5, idle_seconds=5)
    try:
        yield pool
    finally:
        pool.close()
        server.close()
        await server.wait_closed()


def saying(*answers: bytes) -> Serve:
    """One answer for each request of a connection; then it closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()

    return serve


async def ask(pool: Pool, seconds: float = 5) -> tuple[int, bytes]:
    answer = await pool.ask(REQUEST, seconds=seconds)
    try:
        return answer.status, await answer.whole(seconds)
    finally:
        answer.close()


@pytest.mark.parametrize(
    ("said", "status", "body"),
    [
        (OK, 200, b"ok"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n1;x=y\r\n!\r\n0\r\nTrailer: 1\r\n\r\n", 200, b"ok!"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, b"until the end"),
        (b"HTTP/1.0 200 OK\r\n\r\nold", 200, b"old"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", 304, b""),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + OK, 200, b"ok"),
    ],
)
async def test_every_way_in_which_an_answer_ends(said: bytes, status: int, body: bytes) -> None:
    async with service(saying(said)) as pool:
        assert await ask(pool) == (status, body)


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        OK + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
        OK + b"more than it said",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
        b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, identity\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\nok\n0\n\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a\nb\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
        b"HTTP/1.1 200 OK\r\nX: a\r\n folded\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: session=forged\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nX: a\nSet-Cookie: session=forged\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 600 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 30_000 + OK,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200_000 + b"\r\n",
    ],
)
async def test_what_is_no_answer_is_broken(said: bytes) -> None:
    async with service(saying(said)) as pool:
        with pytest.raises(Broken):
            await ask(pool)
        assert pool._idle == [], "nobody else may be given what comes after it"


async def test_connections_are_used_again_unless_they_say_no() -> None:
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        closing = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        await saying(OK, OK, closing)(reader, writer)

    async with service(serve) as pool:
        for asked, opened in ((1, 1), (2, 1), (3, 1), (4, 2)):
            assert await ask(pool) == (200, b"ok")
            assert connections == opened, asked


async def test_a_connection_that_was_closed_meanwhile_is_told_apart() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await saying(OK)(reader, writer)
        await reader.readuntil(b"\r\n\r\n")  # and then it closes without a word

    async with service(serve) as pool:
        assert await ask(pool) == (200, b"ok")
        with pytest.raises(Stale):
            await ask(pool)
        answer = await pool.ask(REQUEST, seconds=5, fresh=True)
        assert await answer.whole(5) == b"ok"
        answer.close()


async def test_nobody_gets_what_they_did_not_ask_for() -> None:
    """Bytes on a waiting connection are somebody else's answer: it is never used again."""
    answered, pushed = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await saying(OK)(reader, writer)
        if not pushed.is_set():
            await answered.wait()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")
            await writer.drain()
            pushed.set()
        await reader.read()

    async with service(serve) as pool:
        assert await ask(pool) == (200, b"ok")
        answered.set()
        await asyncio.wait_for(pushed.wait(), 5)
        async with asyncio.timeout(5):
            while any(not one.lost for one in pool._idle):  # noqa: ASYNC110 it arrives when it arrives
                await asyncio.sleep(0.01)
        assert await ask(pool) == (200, b"ok")


async def test_an_answer_that_does_not_come() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with service(serve) as pool:
        with pytest.raises(TimeoutError):
            await ask(pool, seconds=0.1)
        assert pool._idle == []


async def test_an_answer_that_stops_coming() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok")
        await reader.read()

    async with service(serve) as pool:
        with pytest.raises(TimeoutError):
            await ask(pool, seconds=0.2)
        assert pool._idle == []


async def test_nobody_there() -> None:
    pool = Pool("http://127.0.0.1:1", connect_seconds=2, idle_seconds=1)
    with pytest.raises(Unreachable):
        await ask(pool)
