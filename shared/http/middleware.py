"""What happens around every request: ids, trace context, metrics, the access log, and the last line of defence."""

import logging
import re
import time
from collections.abc import Callable, Sequence
from functools import partial
from random import getrandbits

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.client_address import PRIVATE_NETWORKS, Networks, address_of
from shared.http.errors import problem_of, problem_response
from shared.problems import InvalidRequest
from shared.telemetry import trace
from shared.telemetry.access import AccessLog
from shared.telemetry.http_metrics import HTTP

_log = logging.getLogger(__name__)
_WELL_FORMED_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})


RawHeaders = Sequence[tuple[bytes, bytes]]
MoreHeaders = Callable[[Scope, RawHeaders], RawHeaders]
"""From a request and the headers of its answer to those that the answer gets in addition."""


def _no_more(_scope: Scope, _headers: RawHeaders) -> RawHeaders:
    return ()


class RequestContext:
    """Outermost ASGI layer of every app: gives the request its ids and trace, measures it, logs it without personal
    data, adds `more_headers` to its answer, and turns an exception that nothing else caught into a problem document."""

    def __init__(
        self, app: ASGIApp, *, service: str, trusted_proxies: Networks = PRIVATE_NETWORKS, more_headers: MoreHeaders = _no_more
    ) -> None:
        self._app = app
        self._more_headers = more_headers
        self._service = service
        self._trusted_proxies = trusted_proxies
        HTTP.in_flight[service] += 0
        self._access = AccessLog(service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = traceparent = b""
        for name, value in scope["headers"]:
            if name == b"x-request-id":
                given = value
            elif name == b"traceparent":
                traceparent = value
        request_id = given.decode() if given and _WELL_FORMED_ID.fullmatch(given) else _new_request_id()
        address = partial(_client_address, scope, self._trusted_proxies)
        with trace.span(traceparent.decode("latin-1"), request=request_id, address=address) as span:
            await self._answer(scope, receive, send, request_id, span)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, request_id: str, span: trace.Trace) -> None:
        started = time.perf_counter()
        status = 0

        async def send_with_ids(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message.get("headers", ())
                message["headers"] = [
                    *[pair for pair in headers if pair[0] != b"x-request-id"],
                    *self._more_headers(scope, headers),
                    (b"x-request-id", request_id.encode()),
                    (b"traceresponse", span.traceparent.encode()),
                ]
            await send(message)

        HTTP.in_flight[self._service] += 1
        try:
            if b"%00" in scope.get("query_string", b"") or "\x00" in scope["path"]:
                raise InvalidRequest("The address holds a NUL character. Remove it.")
            await self._app(scope, receive, send_with_ids)
        except Exception as error:
            problem = problem_of(error)
            if problem.status >= 500:
                _log.exception("request failed", extra={"method": scope["method"]})
            if status:
                raise
            await problem_response(problem)(scope, receive, send_with_ids)
        finally:
            HTTP.in_flight[self._service] -= 1
            self._record(scope, status, time.perf_counter() - started, request_id, span)

    def _record(self, scope: Scope, status: int, seconds: float, request_id: str, span: trace.Trace) -> None:
        route = getattr(scope.get("route"), "path", None) or scope.get("route_path", "unmatched")
        method = scope["method"]
        HTTP.observe(self._service, method, route, status, seconds)
        if route not in _QUIET:
            self._access.write(
                method=method, route=route, status=status, seconds=seconds, trace_id=span.trace_id, request_id=request_id
            )


def _new_request_id() -> str:
    """A UUID of version 7 like every id of ours, though of quicker randomness: it names a request and guards nothing."""
    now, chance = time.time_ns() // 1_000_000, getrandbits(74)
    digits = f"{(now << 80) | (7 << 76) | ((chance >> 62) << 64) | (2 << 62) | (chance & 0x3FFFFFFFFFFFFFFF):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _client_address(scope: Scope, trusted: Networks) -> str | None:
    return address_of(scope, trusted) or None
