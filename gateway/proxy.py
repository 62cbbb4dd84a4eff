"""The way a request takes through the edge: match, who, how often, forward, answer.

Plain ASGI, in front of the FastAPI app that has the gateway's own pages: a forwarded request meets no other routing.
"""

from contextlib import suppress

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway import headers as edge_headers
from gateway import metrics
from gateway.addresses import client_address
from gateway.admission import Admission, Quota
from gateway.body import ClientLeft, RequestBody
from gateway.edge import Edge
from gateway.forwarding import Forwarding
from gateway.headers import RequestHeaders
from gateway.interruption import Interruption
from gateway.json_shape import is_json
from gateway.paths import readable_path
from gateway.problems import Overloaded
from gateway.routing import Route, WrongMethod
from gateway.table import Table
from shared.http.errors import problem_response
from shared.problems import Problem, RateLimited
from shared.problems.common import MethodNotAllowed

_OPERATORS = frozenset({"/healthz", "/readyz", "/metrics"})


class Proxy:
    """Forwards what the route table has; hands everything else to `app`."""

    def __init__(self, app: ASGIApp, *, edge: Edge) -> None:
        self._app = app
        self._edge = edge
        self._admission = Admission(edge)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        table = self._edge.table
        address = client_address(scope, self._edge.settings.trusted_proxies)
        quota: Quota = []
        scope["quota"] = quota
        try:
            route = self._route(scope, table)
            if isinstance(route, Route):
                await self._pass(route, table, scope, receive, send, address, quota)
                return
            if scope["path"] not in _OPERATORS:
                self._admission.count_visitor(table, address, quota)
        except Problem as problem:
            await problem_response(self._counted(problem, table, address, quota))(scope, receive, send)
            return
        answer = self._app if route is None else Response(status_code=204, headers={"Allow": route.allow})
        await answer(scope, receive, send)

    def quota(self, scope: Scope) -> Quota:
        """The fields that tell where the client of an answer stands; also when something failed before it was counted."""
        quota: Quota | None = scope.get("quota")
        if not quota and scope["path"] not in _OPERATORS:
            quota = []
            with suppress(RateLimited):
                address = client_address(scope, self._edge.settings.trusted_proxies)
                self._admission.count_visitor(self._edge.table, address, quota)
        return quota or []

    def refused(self, problem: Problem, address: str) -> Problem:
        """What to tell who sent the server something that is no request; `address` is the connection's other end."""
        quota: Quota = []
        told = self._counted(problem, self._edge.table, address, quota)
        told.headers.update({name.decode(): value.decode() for name, value in quota})
        return told

    def _route(self, scope: Scope, table: Table) -> Route | WrongMethod | None:
        """The route; `WrongMethod` only for OPTIONS, which every path answers. Raises problems of the address."""
        path = readable_path(scope["raw_path"], scope["query_string"], max_bytes=self._edge.settings.gateway_max_address_bytes)
        route = table.routes.find(scope["method"], path)
        if route is not None:
            scope["route_path"] = route.pattern
        if isinstance(route, WrongMethod) and scope["method"] != "OPTIONS":
            raise MethodNotAllowed(f"Use one of {route.allow}.", headers={"Allow": route.allow})
        return route

    async def _pass(
        self, route: Route, table: Table, scope: Scope, receive: Receive, send: Send, address: str, quota: Quota
    ) -> None:
        """Check a request and forward it. Fills `quota` with the fields that tell the client where it stands."""
        edge = self._edge
        if edge.in_flight >= edge.settings.gateway_max_in_flight:
            metrics.OVERLOADED.inc()
            raise Overloaded("The platform has too much to do at this moment. Try again.", headers={"Retry-After": "1"})
        headers = edge_headers.request_headers(scope["headers"], route)
        edge.in_flight += 1
        try:
            await self._admission.admit(route, table, scope, headers, address, quota)
            body = self._body(route, headers, receive) if headers.content_length or headers.chunked else None
            upstream = edge.upstreams.by_name[route.service]
            upstream.admit()
            forwarding = Forwarding(edge, route, upstream, Interruption(scope))
            await forwarding.run(scope, headers, body, send, address=address)
        except ClientLeft:
            metrics.ABANDONED.labels(route.service).inc()
        finally:
            edge.in_flight -= 1

    def _body(self, route: Route, headers: RequestHeaders, receive: Receive) -> RequestBody:
        """The body that a request says it has. Raises `BodyTooLarge`."""
        body = RequestBody(
            receive,
            limit_bytes=route.body_limit_bytes,
            timeout_seconds=self._edge.settings.gateway_body_timeout_seconds,
            json=is_json(headers.content_type),
        )
        body.check_length(headers.content_length or 0)
        return body

    def _counted(self, problem: Problem, table: Table, address: str, quota: Quota) -> Problem:
        """The problem to tell about: every refusal says where its client stands, and every request is counted somewhere."""
        if not quota:
            try:
                self._admission.count_visitor(table, address, quota)
            except RateLimited as limited:
                return limited
        return problem
