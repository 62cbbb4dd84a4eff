"""A service as the gateway sees it: a plain ASGI app that tells what it got and misbehaves on demand."""

import asyncio
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Message, Receive, Scope, Send


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    raw_path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes = b""

    def header(self, name: str) -> list[str]:
        """Every value of the header `name`."""
        return [value for key, value in self.headers if key == name]


@dataclass
class EchoUpstream:
    """Answers with what it saw. The query says what else it should do: `do=sse`, `do=stall`, `do=break`, …"""

    seen: list[Seen] = field(default_factory=list)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    first_piece: asyncio.Event = field(default_factory=asyncio.Event)
    documents: dict[str, Any] = field(default_factory=dict)
    ready_status: int = 200
    resets_left: int = 1
    close_connections: Callable[[], None] = lambda: None

    async def until_seen(self, number: int) -> None:
        """Wait until that many requests have arrived."""
        async with asyncio.timeout(60):
            while len(self.seen) < number:  # noqa: ASYNC110 a test may look as often as it likes
                await asyncio.sleep(0.01)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["path"] == "/readyz":
            await _answer(send, self.ready_status, b"{}")
            return
        if scope["path"] == "/openapi.json":
            await _answer(send, 200 if self.documents else 404, json.dumps(self.documents).encode())
            return
        seen = Seen(
            scope["method"],
            scope["raw_path"].decode(),
            scope["query_string"].decode(),
            [(name.decode(), value.decode("latin-1")) for name, value in scope["headers"]],
        )
        self.seen.append(seen)
        action = getattr(self, "_" + dict(pair.partition("=")[::2] for pair in seen.query.split("&")).get("do", "echo"))
        await action(seen, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        assert message["type"] == "lifespan.shutdown"
        await send({"type": "lifespan.shutdown.complete"})

    async def _echo(self, seen: Seen, receive: Receive, send: Send) -> None:
        more = True
        while more:
            message: Message = await receive()
            if message["type"] == "http.disconnect":
                self.cancelled.set()
                return
            seen.body += message.get("body", b"")
            self.first_piece.set()
            more = message.get("more_body", False)
        body = json.dumps({"method": seen.method, "path": seen.raw_path, "length": len(seen.body)}).encode()
        await _answer(
            send,
            200,
            body,
            [
                (b"set-cookie", b"session=1"),
                (b"x-powered-by", b"upstream"),
                (b"server", b"inner"),
                (b"x-request-id", b"forged"),
                (b"idempotent-replayed", b"true"),
                (b"connection", b"keep-alive, x-powered-by"),
                (b"access-control-allow-origin", b"*"),
            ],
        )

    async def _sse(self, seen: Seen, receive: Receive, send: Send) -> None:
        await _start(send, 200, [(b"content-type", b"text/event-stream")])
        await send({"type": "http.response.body", "body": b"data: first\n\n", "more_body": True})
        await self._wait(receive)
        await send({"type": "http.response.body", "body": b"data: last\n\n", "more_body": False})

    async def _large(self, seen: Seen, receive: Receive, send: Send) -> None:
        await _start(send, 200, [(b"content-type", b"application/octet-stream")])
        for number in range(64):
            await send({"type": "http.response.body", "body": bytes([number]) * 65536, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _flood(self, seen: Seen, receive: Receive, send: Send) -> None:
        """An answer without end, as fast as it is taken."""
        await _start(send, 200, [(b"content-type", b"application/octet-stream")])

        async def left() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            self.cancelled.set()

        leaving = asyncio.ensure_future(left())
        while not self.cancelled.is_set():
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
            await asyncio.sleep(0)
        await leaving

    async def _stall(self, seen: Seen, receive: Receive, send: Send) -> None:
        await self._wait(receive)
        await _answer(send, 200, b"{}")

    async def _reset(self, seen: Seen, receive: Receive, send: Send) -> None:
        """The connection closes without an answer, as when a process is killed."""
        self.close_connections()

    async def _reset_once(self, seen: Seen, receive: Receive, send: Send) -> None:
        """As `reset`, `resets_left` times; then an ordinary answer."""
        self.resets_left -= 1
        await (self._reset if self.resets_left >= 0 else self._echo)(seen, receive, send)

    async def _text(self, seen: Seen, receive: Receive, send: Send) -> None:
        """A long answer that says the same again and again."""
        await _answer(send, 200, json.dumps(["the same again"] * 500).encode())

    async def _packed(self, seen: Seen, receive: Receive, send: Send) -> None:
        """An answer that is compressed already."""
        await _answer(send, 200, gzip.compress(b"packed already " * 500), [(b"content-encoding", b"gzip")])

    async def _cut(self, seen: Seen, receive: Receive, send: Send) -> None:
        """The connection closes in the middle of a small answer."""
        await _start(send, 200, [(b"content-length", b"100")])
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        await asyncio.sleep(0.05)
        self.close_connections()

    async def _half(self, seen: Seen, receive: Receive, send: Send) -> None:
        """The connection closes in the middle of a large answer."""
        await _start(send, 200, [(b"content-length", b"1000000")])
        await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": True})
        await asyncio.sleep(0.05)
        self.close_connections()

    async def _refuse(self, seen: Seen, receive: Receive, send: Send) -> None:
        """A refusal before the body has been read."""
        await _answer(send, 409, b'{"code": "closed"}')

    async def _wait(self, receive: Receive) -> None:
        async def left() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            self.cancelled.set()

        waiting = [asyncio.ensure_future(left()), asyncio.ensure_future(self.go_on.wait())]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()


async def _start(send: Send, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    own = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await _start(send, status, own + (headers or []))
    await send({"type": "http.response.body", "body": body})
