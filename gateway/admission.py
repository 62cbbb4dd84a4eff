"""Who is calling, whether they may, and whether not too often."""

from uuid import UUID

from starlette.types import Scope

from gateway import limits, metrics
from gateway.addresses import limited_address
from gateway.authn import authorise, bearer_token
from gateway.edge import Edge
from gateway.headers import RequestHeaders
from gateway.limits import Decision, Limit, ProcessBuckets
from gateway.routing import Route
from gateway.table import Table
from shared.idempotency.keys import checked_key
from shared.problems import RateLimited, Unauthenticated

Quota = list[tuple[bytes, bytes]]
"""The answer's fields that tell a client where it stands."""

_MINUTE = 60.0


class Admission:
    """Lets requests in. Buckets are per person and class of routes, per API client, per address, and beside these per route
    where that has a limit of its own."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._visitors = ProcessBuckets()

    async def admit(self, route: Route, table: Table, scope: Scope, headers: RequestHeaders, address: str, quota: Quota) -> None:
        """Raises the problem that says no; fills `quota`."""
        cookies = self._edge.cookies
        if route.public:
            await self._count(table, route, limited_address(address), quota)
            if route.cookies:
                cookies.check_sender(scope)
                await cookies.recognise(scope, headers)
            return
        cookie = cookies.token(scope) if headers.authorization is None else None
        try:
            token = cookie or bearer_token(headers.authorization)
        except Unauthenticated:
            await self._count_token(table, address, quota)
            raise
        principal = self._edge.authenticator.remembered(token)
        if principal is None:
            await self._count_token(table, address, quota)
            principal = await self._edge.authenticator.verify(token)
        await self._count(table, route, principal.user_id, quota)
        if principal.client_id is not None and principal.requests_per_minute is not None:
            await self._count_client(principal.client_id, principal.requests_per_minute, quota)
        authorise(principal, route)
        if cookie is not None:
            cookies.admit(scope, headers, cookie, principal)
        if route.idempotency == "required" and scope["method"] == "POST":
            checked_key(headers.idempotency_key)

    def count_visitor(self, table: Table, address: str, quota: Quota) -> None:
        """Somebody who looks at our own pages, or for what is not there, or sends what is no request. Counted in this process:
        it must cost nothing."""
        limit = table.limits["page"]
        _tell(quota, "page", limit, self._visitors.count(("page", limited_address(address)), limit))

    async def _count(self, table: Table, route: Route, who: UUID | str, quota: Quota) -> None:
        name, limit = route.limit, table.limits[route.limit]
        _tell(quota, name, limit, await self._edge.buckets.take((name, who), limit))
        if route.own_limit is not None:
            name, limit = route.own_limit, table.limits[route.own_limit]
            decision = await self._edge.buckets.take((name, route.pattern, who), limit)
            _tell(quota, name, limit, decision, beside=True)

    async def _count_token(self, table: Table, address: str, quota: Quota) -> None:
        limit = table.limits["new_token"]
        _tell(quota, "new_token", limit, await self._edge.buckets.take(("new_token", limited_address(address)), limit))

    async def _count_client(self, client_id: UUID, requests_per_minute: int, quota: Quota) -> None:
        """An API client may have a limit of its own, over all its calls, beside those of everybody."""
        limit = Limit(requests_per_minute, _MINUTE)
        _tell(quota, "client", limit, await self._edge.buckets.take(("client", client_id), limit), beside=True)


def _tell(quota: Quota, name: str, limit: Limit, decision: Decision, *, beside: bool = False) -> None:
    """Note where the client stands, `beside` what was noted already or in its place. Raises `RateLimited`."""
    fields = limits.fields(name, limit, decision)
    if beside:
        fields = [(field, before + b", " + value) for (_, before), (field, value) in zip(quota, fields, strict=True)]
    quota[:] = fields
    if not decision.allowed:
        metrics.RATE_LIMITED.labels(name).inc()
        seconds = decision.retry_after_seconds
        raise RateLimited(f"Try again in {seconds} s.", headers={"Retry-After": str(seconds)})
