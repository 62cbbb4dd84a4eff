"""One request on its way to a service, and the answer on its way back."""

import asyncio
import logging
from collections.abc import Sequence

from starlette.types import Scope, Send

from gateway import caching, compression
from gateway import headers as edge_headers
from gateway.answers import Answer
from gateway.body import HELD_BYTES, ClientLeft, RequestBody
from gateway.connections import Unreachable
from gateway.edge import Edge
from gateway.headers import RequestHeaders
from gateway.interruption import Interruption
from gateway.problems import BadGateway, GatewayTimeout
from gateway.routing import Route
from gateway.upstreams import Upstream, unavailable
from shared.problems import Problem

_log = logging.getLogger(__name__)

_RETRY_SECONDS = 2
_NOT_OVER = "It is not known whether the request was carried out: repeat it with the same Idempotency-Key, or look first."
_SAFE = frozenset({"GET", "HEAD"})
RawHeaders = Sequence[tuple[bytes, bytes]]


class Forwarding:
    """Forwards one request."""

    def __init__(self, edge: Edge, route: Route, upstream: Upstream, interruption: Interruption) -> None:
        self._edge = edge
        self._route = route
        self._upstream = upstream
        self._interruption = interruption
        self._started = False

    async def run(self, scope: Scope, headers: RequestHeaders, body: RequestBody | None, send: Send, *, address: str) -> None:
        """Forward, and answer. Raises a `Problem` while nothing has been answered, and `ClientLeft`."""
        self._interruption.watch_client()
        try:
            answer = await self._ask(scope, headers, body, address)
            self._upstream.answered()
            try:
                await self._relay(answer, scope, send)
            except (OSError, TimeoutError) as error:
                self._broken_off(error)
            finally:
                answer.close()
        except asyncio.CancelledError:
            if not self._interruption.happened:
                raise
            self._interruption.swallow()
            if not self._edge.draining.is_set():
                raise ClientLeft from None
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._interruption.over()

    async def _ask(self, scope: Scope, headers: RequestHeaders, body: RequestBody | None, address: str) -> Answer:
        """The beginning of the service's answer: of a small body when all of it has come, of a large one while it comes."""
        method: str = "GET" if scope["method"] == "HEAD" else scope["method"]
        target = self._upstream.pool.path + scope["raw_path"]
        if scope["query_string"]:
            target += b"?" + scope["query_string"]
        head = self._edge.requests.head(method, target, self._upstream.pool.host, headers, address=address)
        if body is not None:
            if headers.chunked or (headers.content_length or 0) > HELD_BYTES:
                return await self._streamed(head, headers.chunked, body)
            head += await body.whole()
        try:
            return await self._upstream.pool.ask(head, seconds=self._route.timeout_seconds)
        except (OSError, TimeoutError) as error:
            if isinstance(error, TimeoutError) or method not in _SAFE or body is not None:
                raise self._failure(error) from error
            if not self._upstream.retries.spend():
                raise self._failure(error) from error
        try:
            return await self._upstream.pool.ask(head, seconds=self._route.timeout_seconds, fresh=True)
        except (OSError, TimeoutError) as error:
            raise self._failure(error) from error

    async def _streamed(self, head: bytes, chunked: bool, body: RequestBody) -> Answer:
        try:
            return await self._upstream.pool.ask(head, seconds=self._route.timeout_seconds, body=body.pieces(), chunked=chunked)
        except (OSError, TimeoutError) as error:
            raise body.failure or self._failure(error) from error

    async def _relay(self, answer: Answer, scope: Scope, send: Send) -> None:
        """Pass the answer on: a small one in one piece, anything else as it comes."""
        seconds = self._route.timeout_seconds
        status, head = answer.status, scope["method"] == "HEAD"
        passed = edge_headers.response_headers(answer.headers, self._route)
        if head and not self._route.cache:
            body: bytes | None = b""
        elif answer.complete or _length(passed) <= HELD_BYTES:
            body = answer.all_of_it() or await answer.whole(seconds)
            if self._route.cache:
                status, body = caching.apply(scope["headers"], status, passed, body)
            if len(body) >= compression.WORTH_BYTES and not self._route.cookies:
                body = compression.compressed(scope["headers"], passed, body)
        else:
            body = None
        if body is None:
            await self._stream(answer, status, passed, send)
            return
        self._started = True
        await send({"type": "http.response.start", "status": status, "headers": passed})
        await send({"type": "http.response.body", "body": b"" if head else body, "more_body": False})

    async def _stream(self, answer: Answer, status: int, passed: list[tuple[bytes, bytes]], send: Send) -> None:
        endless = any(name == b"content-type" and value.startswith(b"text/event-stream") for name, value in passed)
        with self._edge.streaming(self._interruption, endless=endless):
            self._started = True
            await send({"type": "http.response.start", "status": status, "headers": passed})
            async for piece in answer.pieces(self._route.timeout_seconds):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _failure(self, error: Exception) -> Problem:
        """What to tell the client about a service that did not answer."""
        if isinstance(error, Unreachable):
            self._upstream.failed("unreachable")
            return unavailable(_RETRY_SECONDS)
        retry = {"Retry-After": str(_RETRY_SECONDS)}
        if isinstance(error, TimeoutError):
            self._upstream.failed("timeout")
            return GatewayTimeout(f"No answer within {self._route.timeout_seconds:g} s. {_NOT_OVER}", headers=retry)
        self._upstream.failed("broken")
        return BadGateway(_NOT_OVER, headers=retry)

    def _broken_off(self, error: Exception) -> None:
        """The answer ended too early. Once it has begun, the client is told by a connection that ends too early too."""
        problem = self._failure(error)
        if not self._started:
            raise problem from error
        _log.warning(
            "a service broke off its answer",
            extra={"upstream": self._upstream.name, "route": self._route.pattern, "error": type(error).__name__},
        )


def _length(headers: RawHeaders) -> float:
    for name, value in headers:
        if name == b"content-length":
            return int(value)
    return float("inf")
