"""What happens around every request: ids, trace context, metrics, the access log, and the last line of defence."""

import logging
import re
import time
from functools import lru_cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.client_address import PRIVATE_NETWORKS, Networks, address_of
from shared.http.errors import problem_of, problem_response
from shared.ids import new_id
from shared.problems import InvalidRequest
from shared.telemetry import metrics, trace

_log = logging.getLogger("lendery.access")
_WELL_FORMED_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})


# Looking a metric up by its labels costs more than counting with it.
_requests = lru_cache(maxsize=4096)(metrics.HTTP_REQUESTS.labels)
_seconds = lru_cache(maxsize=4096)(metrics.HTTP_SECONDS.labels)


class RequestContext:
    """Outermost ASGI layer of every app: gives the request its ids and trace, measures it, logs it without personal
    data, and turns an exception that nothing else caught into a problem document."""

    def __init__(self, app: ASGIApp, *, service: str, trusted_proxies: Networks = PRIVATE_NETWORKS) -> None:
        self._app = app
        self._service = service
        self._trusted_proxies = trusted_proxies
        self._in_flight = metrics.HTTP_IN_FLIGHT.labels(service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        request_id = given.decode() if _WELL_FORMED_ID.fullmatch(given) else str(new_id())
        traceparent = headers.get(b"traceparent", b"").decode("latin-1")
        address = address_of(scope, self._trusted_proxies) or None
        with trace.span(traceparent, request=request_id, address=address) as span:
            await self._answer(scope, receive, send, request_id, span)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, request_id: str, span: trace.Trace) -> None:
        started = time.perf_counter()
        status = 0

        async def send_with_ids(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *(pair for pair in message.get("headers", []) if pair[0].lower() != b"x-request-id"),
                    (b"x-request-id", request_id.encode()),
                    (b"traceresponse", span.traceparent.encode()),
                ]
            await send(message)

        with self._in_flight.track_inprogress():
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
                self._record(scope, status, time.perf_counter() - started)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", None) or scope.get("route_path", "unmatched")
        method = scope["method"]
        _requests(self._service, method, route, str(status)).inc()
        _seconds(self._service, method, route).observe(seconds)
        if route not in _QUIET:
            _log.info(
                "%s %s %s",
                method,
                route,
                status,
                extra={"method": method, "route": route, "status": status, "duration_ms": round(seconds * 1000, 1)},
            )
