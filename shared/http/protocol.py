"""HTTP/1.1 on a socket, for every server of the platform: uvicorn's, with patience and sizes that end, and fewer writes.

uvicorn waits for ever for the rest of a request's head, takes heads of any size, and waits for ever for a client that does not
read its answer. Each of these is a way to hold the server's memory and connections with almost no effort (slowloris).
"""

import asyncio
import json
import urllib.parse
from collections.abc import Callable
from typing import Any

import httptools
from uvicorn.protocols.http import httptools_impl as uvicorn_http
from uvicorn.protocols.http.flow_control import service_unavailable

from shared.deadline import Deadline
from shared.problems import Problem
from shared.problems.document import MEDIA_TYPE, problem_document
from shared.problems.transport import HeadersTooLarge, MalformedRequest, RequestTimeout

HEAD_BYTES_MAX = 32 * 1024
HEADERS_MAX = 100
HEAD_SECONDS = 10.0
"""For the whole head of a request, from the connection or its first byte on."""
UNREAD_SECONDS = 30.0
"""For a client to take what is waiting for it: 48 KB at least, so 1.6 KB/s are enough."""
_SMALL_BYTES = 64 * 1024
_LAST_CHANCE_SECONDS = 0.1
_LINGER_SECONDS = 1.0
_HOSTS = frozenset({("1.1", 1), ("1.0", 1), ("1.0", 0)})


class HttpProtocol(uvicorn_http.HttpToolsProtocol):
    """One connection. Apps find it in `scope["connection"]`."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._in_head = False
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._unread_timer: asyncio.TimerHandle | None = None
        self._idle = Deadline(self.timeout_keep_alive_handler)
        self._leave: Callable[[], None] | None = None
        self._refusal: Problem | None = None
        self._stopping = False
        self._lingering: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn's signature
        """A client is there; it has a while to ask something."""
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        for timer in (self._head_timer, self._unread_timer, self._lingering):
            if timer is not None:
                timer.cancel()
        self._idle.close()
        super().connection_lost(exc)
        if self._leave is not None:
            self._leave()
            self._leave = None

    def when_client_leaves(self, leave: Callable[[], None]) -> None:
        """Have `leave` called if the client goes, or has gone, before the present answer is complete."""
        if self.cycle.disconnected:
            leave()
        else:
            self._leave = leave

    def data_received(self, data: bytes) -> None:
        """More of a request."""
        if self._lingering is not None:
            return
        self._idle.clear()
        super().data_received(data)
        if self._in_head and self._lingering is None and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self._refuse(_too_large())
            elif self._head_timer is None:
                self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, complete."""
        if len(self.headers) >= HEADERS_MAX:
            self._refusal = _too_large()
            raise ValueError("too many headers")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """All of a request but its body: have it answered."""
        self._in_head = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        scope, headers = self.scope, self.headers
        scope["connection"] = self  # type: ignore[typeddict-unknown-key] # beside what ASGI names
        if len(self.url) + sum([len(name) + len(value) for name, value in headers]) > HEAD_BYTES_MAX:
            self._refusal = _too_large()
            raise ValueError("the head is too large")
        parser = self.parser
        version = parser.get_http_version()
        hosts = [name for name, _ in headers].count(b"host")
        if (version, hosts) not in _HOSTS:
            raise ValueError("this is not HTTP/1.1 with one Host, or HTTP/1.0")
        scope["method"] = parser.get_method().decode("ascii")
        if version != "1.1":
            scope["http_version"] = version
        parsed = httptools.parse_url(self.url)
        path = parsed.path.decode("ascii")
        scope["path"] = urllib.parse.unquote(path) if "%" in path else path
        scope["raw_path"] = parsed.path
        scope["query_string"] = parsed.query or b""
        before = self.cycle
        limit = self.limit_concurrency
        self.cycle = cycle = _Cycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and parser.should_keep_alive() and not self._stopping,
            on_response=self.on_response_complete,
        )
        cycle.close = self._close
        app = self.app if limit is None or len(self.tasks) < limit else service_unavailable
        if before is None or before.response_complete:
            self._start_asgi_task(cycle, app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, app))

    def on_response_complete(self) -> None:
        """An answer has been sent: go on with the next request, if there is to be one."""
        self._leave = None
        if self._lingering is not None:
            return
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle.set(self.timeout_keep_alive)

    def pause_writing(self) -> None:
        """The client does not read as fast as we write."""
        super().pause_writing()
        if self._unread_timer is None:
            self._unread_timer = self.loop.call_later(UNREAD_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """It has read most of it."""
        super().resume_writing()
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None

    def timeout_keep_alive_handler(self) -> None:
        """Nothing was asked for a while."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()  # closing would wait for the client to read its answer
        else:
            super().timeout_keep_alive_handler()

    def shutdown(self) -> None:
        """The server stops. What has been asked, or is just being asked, is answered; and so is what was already on its way
        over a connection that seemed idle."""
        self._stopping = True
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False
        elif not self._in_head:
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(_LAST_CHANCE_SECONDS, self.timeout_keep_alive_handler)

    def send_400_response(self, msg: str) -> None:
        """What came is no request that we take: say so and close."""
        refusal, self._refusal = self._refusal or MalformedRequest("What was sent is not HTTP/1.1 as RFC 9112 has it."), None
        self._refuse(refusal)

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self._in_head:
            self._refuse(RequestTimeout("Send the request again, faster."))
        else:
            self.transport.close()

    def _refuse(self, problem: Problem) -> None:
        """Answer what is no request. An app may have something to say about it: `refused(problem, address)`."""
        self._in_head = False
        if (refused := getattr(self.app, "refused", None)) is not None:
            problem = refused(problem, self.client[0] if self.client else "unknown")
        body = json.dumps(problem_document(problem)).encode()
        lines = [
            uvicorn_http.STATUS_LINE[problem.status],
            *(name + b": " + value + b"\r\n" for name, value in self.server_state.default_headers),
            *(f"{name.lower()}: {value}\r\n".encode() for name, value in problem.headers.items()),
            f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n".encode(),
            b"cache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n",
            body,
        ]
        self.transport.write(b"".join(lines))
        self._close()

    def _close(self) -> None:
        """Say that nothing more comes, and leave unread what the client still sends.

        A connection that is closed with unread bytes is reset, and the client may lose the answer over that.
        """
        if self._lingering is None and not self.transport.is_closing():
            self.transport.write_eof()
            self.flow.resume_reading()
            self._lingering = self.loop.call_later(_LINGER_SECONDS, self.transport.abort)


class _Cycle(uvicorn_http.RequestResponseCycle):
    """One request and its answer, whose head waits for the first piece of the body: they leave together."""

    _head = b""
    close: Callable[[], None]

    async def send(self, message: Any) -> None:
        """One ASGI message of the answer."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if not self.response_started:
            self._start(message)
        elif self.response_complete:
            raise RuntimeError("the answer is complete already")
        else:
            self._continue(message)

    def _start(self, message: Any) -> None:
        if message["type"] != "http.response.start":
            raise RuntimeError(f"an answer cannot begin with {message['type']}")
        self.response_started = True
        self.waiting_for_100_continue = False
        status = message["status"]
        headers = [*self.default_headers, *message.get("headers", ())]
        known = dict(headers)
        if (length := known.get(b"content-length")) is not None:
            self.expected_content_length = int(length)
            self.chunked_encoding = False
        if known.get(b"transfer-encoding", b"").lower() == b"chunked":
            self.expected_content_length = 0
            self.chunked_encoding = True
        if b"close" in known.get(b"connection", b"").lower():
            self.keep_alive = False
        elif not self.keep_alive:
            headers.append((b"connection", b"close"))
        if self.chunked_encoding is None and self.scope["method"] != "HEAD" and status not in (204, 304):
            if not b"".join(known).islower():
                raise RuntimeError("ASGI has the names of headers in lower case; others are not looked for")
            self.chunked_encoding = True
            headers.append((b"transfer-encoding", b"chunked"))
        head = b"\r\n".join([uvicorn_http.STATUS_LINE[status][:-2], *map(b": ".join, headers), b"\r\n"])
        if not head.count(b"\r\n") == head.count(b"\n") == head.count(b"\r") == len(headers) + 2 or b"\x00" in head:
            raise RuntimeError("a header of the answer holds the end of a line")
        if self.chunked_encoding or self.expected_content_length > _SMALL_BYTES:
            self.transport.write(head)  # the body may take its time, as that of an event stream does
        else:
            self._head = head

    def _continue(self, message: Any) -> None:
        if message["type"] != "http.response.body":
            raise RuntimeError(f"an answer cannot go on with {message['type']}")
        body: bytes = message.get("body", b"")
        more = message.get("more_body", False)
        if self.scope["method"] == "HEAD":
            self.expected_content_length = 0
            body = b""
        elif self.chunked_encoding:
            body = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            if not more:
                body += b"0\r\n\r\n"
        elif len(body) > self.expected_content_length:
            raise RuntimeError("the answer is longer than its Content-Length")
        else:
            self.expected_content_length -= len(body)
        if head := self._head:
            self._head = b""
            body = head + body
        if body:
            self.transport.write(body)
        if not more:
            if self.expected_content_length:
                raise RuntimeError("the answer is shorter than its Content-Length")
            self.response_complete = True
            self.message_event.set()
            if not self.keep_alive:
                (self.close if self.more_body else self.transport.close)()
            self.on_response()


def _too_large() -> HeadersTooLarge:
    return HeadersTooLarge(f"Send at most {HEADERS_MAX} headers, and at most {HEAD_BYTES_MAX} bytes of them with the address.")
