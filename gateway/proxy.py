"""The way a request takes through the edge: match, who, how often, forward, answer.

Plain ASGI, in front of the FastAPI app that has the gateway's own pages: a forwarded request meets no other routing.
"""

import asyncio
import logging
from collections.abc import Mapping

import aiohttp
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from yarl import URL

from gateway import headers as edge_headers
from gateway import limits, metrics
from gateway.addresses import client_address, limited_address
from gateway.authn import authorise, bearer_token
from gateway.body import HELD_BYTES, ClientLeft, RequestBody
from gateway.edge import Edge
from gateway.headers import RequestHeaders
from gateway.interruption import Interruption
from gateway.paths import readable_path
from gateway.problems import BadGateway, GatewayTimeout
from gateway.routing import Route, WrongMethod
from gateway.upstreams import Upstream, unavailable
from shared.http.errors import problem_response
from shared.problems import Problem, RateLimited
from shared.problems.common import MethodNotAllowed

_log = logging.getLogger(__name__)

_RETRY_SECONDS = 2
_NOT_OVER = "It is not known whether the request was carried out: repeat it with the same Idempotency-Key, or look first."


class Proxy:
    """Forwards what the route table has; hands everything else to `app`."""

    def __init__(self, app: ASGIApp, *, edge: Edge) -> None:
        self._app = app
        self._edge = edge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        quota: dict[str, str] = {}
        try:
            route = self._route(scope)
            if isinstance(route, Route):
                await self._pass(route, scope, receive, send, quota)
                return
        except Problem as problem:
            problem.headers.update(quota)
            await problem_response(problem)(scope, receive, send)
            return
        if route is None:
            await self._app(scope, receive, send)
        else:
            await Response(status_code=204, headers={"Allow": route.allow})(scope, receive, send)

    def _route(self, scope: Scope) -> Route | WrongMethod | None:
        """The route; `WrongMethod` only for OPTIONS, which every path answers. Raises problems of the address."""
        path = readable_path(scope["raw_path"], scope["query_string"], max_bytes=self._edge.settings.gateway_max_address_bytes)
        route = self._edge.routes.find(scope["method"], path)
        if route is not None:
            scope["route_path"] = route.pattern
        if isinstance(route, WrongMethod) and scope["method"] != "OPTIONS":
            raise MethodNotAllowed(f"Use one of {route.allow}.", headers={"Allow": route.allow})
        return route

    async def _pass(self, route: Route, scope: Scope, receive: Receive, send: Send, quota: dict[str, str]) -> None:
        """Check a request and forward it. Fills `quota` with the fields that tell the client where it stands."""
        headers = edge_headers.request_headers(scope["headers"], route)
        address = client_address(scope, self._edge.settings.trusted_proxies)
        await self._admit(route, scope, headers, address, quota)
        body = RequestBody(
            receive,
            limit_bytes=route.body_limit_bytes,
            timeout_seconds=self._edge.settings.gateway_body_timeout_seconds,
        )
        if headers.content_length is not None:
            body.check_length(headers.content_length)
        upstream = self._edge.upstreams.by_name[route.service]
        upstream.admit()
        edge_headers.add_own(
            headers.forward,
            address=address,
            public_host=self._edge.public_host,
            public_scheme=self._edge.public_scheme,
        )
        forwarding = _Forwarding(self._edge, route, upstream, Interruption(receive), quota)
        try:
            await forwarding.run(scope, headers, body, send)
        except ClientLeft:
            metrics.ABANDONED.labels(route.service).inc()

    async def _admit(self, route: Route, scope: Scope, headers: RequestHeaders, address: str, quota: dict[str, str]) -> None:
        """Who is calling, whether they may, and whether not too often. Raises the problem that says no."""
        cookies = self._edge.cookies
        if route.public:
            await self._count(route.limit, limited_address(address), quota)
            if route.cookies:
                cookies.check_sender(scope)
                await cookies.recognise(scope, headers)
            return
        cookie = cookies.token(scope) if headers.authorization is None else None
        token = cookie or bearer_token(headers.authorization)
        principal = self._edge.authenticator.remembered(token)
        if principal is None:
            await self._count("new_token", limited_address(address), quota)
            principal = await self._edge.authenticator.verify(token)
        await self._count(route.limit, str(principal.user_id), quota)
        authorise(principal, route)
        if cookie is not None:
            cookies.check(scope, principal)
            headers.forward.append((b"authorization", b"Bearer " + cookie.encode("latin-1")))

    async def _count(self, name: str, who: str, quota: dict[str, str]) -> None:
        limit = self._edge.limits[name]
        decision = await self._edge.buckets.take(f"{name}:{who}", limit)
        quota.update(limits.fields(name, limit, decision))
        if not decision.allowed:
            metrics.RATE_LIMITED.labels(name).inc()
            seconds = decision.retry_after_seconds
            raise RateLimited(f"Try again in {seconds} s.", headers={"Retry-After": str(seconds)})


class _Forwarding:
    """One request on its way to a service and its answer on the way back."""

    def __init__(
        self, edge: Edge, route: Route, upstream: Upstream, interruption: Interruption, quota: Mapping[str, str]
    ) -> None:
        self._edge = edge
        self._route = route
        self._upstream = upstream
        self._interruption = interruption
        self._quota = quota
        self._started = False

    async def run(self, scope: Scope, headers: RequestHeaders, body: RequestBody, send: Send) -> None:
        """Forward, and answer. Raises a `Problem` while nothing has been answered, and `ClientLeft`."""
        try:
            data = await self._data(headers, body)
            try:
                response = await self._send(scope, headers, data)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise body.failure or self._failure(error) from error
            self._upstream.answered()
            try:
                await self._relay(response, send, head=scope["method"] == "HEAD")
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                self._broken_off(error)
            finally:
                response.close()
        except asyncio.CancelledError:
            if not self._interruption.happened:
                raise
            self._interruption.swallow()
            if not self._edge.draining.is_set():
                raise ClientLeft from None
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._interruption.over()

    async def _data(self, headers: RequestHeaders, body: RequestBody) -> object:
        """What to send: nothing, the whole small body, or the pieces of a large one as they come."""
        length = headers.content_length or 0
        if headers.chunked or length > HELD_BYTES:
            if length:
                headers.forward["Content-Length"] = str(length)
            return body.pieces(then=self._interruption.watch_client)
        data = await body.whole() if length else None
        self._interruption.watch_client()
        return data

    async def _send(self, scope: Scope, headers: RequestHeaders, data: object) -> aiohttp.ClientResponse:
        """The beginning of the service's answer.

        aiohttp sends a request again, once, when the service closed a waiting connection just before: only for methods
        that may be repeated, and only while no part of a streamed body has gone.
        """
        target = self._upstream.url + scope["raw_path"].decode("ascii")
        if scope["query_string"]:
            target += "?" + scope["query_string"].decode("ascii")
        return await self._edge.upstreams.session.request(
            "GET" if scope["method"] == "HEAD" else scope["method"],
            URL(target, encoded=True),
            headers=headers.forward,
            data=data,
            timeout=self._edge.timeouts[self._route.timeout_seconds],
            allow_redirects=False,
        )

    async def _relay(self, response: aiohttp.ClientResponse, send: Send, *, head: bool) -> None:
        """Pass the answer on: a small one in one piece, anything else as it comes."""
        length = response.headers.get("Content-Length")
        body = b"" if head else None
        if body is None and length is not None and length.isdigit() and int(length) <= HELD_BYTES:
            body = await response.read()
        passed = edge_headers.response_headers(response.raw_headers, self._route)
        passed.extend((name.lower().encode(), value.encode()) for name, value in self._quota.items())
        self._started = True
        await send({"type": "http.response.start", "status": response.status, "headers": passed})
        if body is None:
            await self._stream(response, send)
        await send({"type": "http.response.body", "body": body or b"", "more_body": False})

    async def _stream(self, response: aiohttp.ClientResponse, send: Send) -> None:
        endless = response.content_type == "text/event-stream"
        if endless:
            self._edge.streams.add(self._interruption)
        try:
            async for piece in response.content.iter_any():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        finally:
            self._edge.streams.discard(self._interruption)

    def _failure(self, error: Exception) -> Problem:
        """What to tell the client about a service that did not answer."""
        if isinstance(error, (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError)):
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
