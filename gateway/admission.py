"""Who is calling, whether they may, and whether not too often."""

from uuid import UUID

from starlette.types import Scope

from gateway import limits, metrics
from gateway.addresses import limited_address
from gateway.authn import authorise, bearer_token
from gateway.edge import Edge
from gateway.headers import RequestHeaders
from gateway.limits import Buckets, Key, Limit, ProcessBuckets
from gateway.routing import Route
from gateway.table import Table
from shared.idempotency.keys import checked_key
from shared.problems import RateLimited, Unauthenticated

Quota = list[tuple[bytes, bytes]]
"""The answer's fields that tell a client where it stands."""

_MINUTE = 60.0


class Admission:
    """Lets requests in. Buckets are per person and class of routes, per API client, per address, and per route where that
    says so."""

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

    async def count_visitor(self, table: Table, address: str, quota: Quota) -> None:
        """Somebody who looks at our own pages, or for what is not there. Counted in this process: it must cost nothing."""
        limit = table.limits["page"]
        await _take(self._visitors, ("page", limited_address(address)), "page", limit, quota)

    async def _count(self, table: Table, route: Route, who: UUID | str, quota: Quota) -> None:
        name = route.limit
        key = (name, route.pattern, who) if route.limited_alone else (name, who)
        await _take(self._edge.buckets, key, name, table.limits[name], quota)

    async def _count_token(self, table: Table, address: str, quota: Quota) -> None:
        key = ("new_token", limited_address(address))
        await _take(self._edge.buckets, key, "new_token", table.limits["new_token"], quota)

    async def _count_client(self, client_id: UUID, requests_per_minute: int, quota: Quota) -> None:
        """An API client may have a limit of its own, over all its calls, beside those of everybody."""
        everybody = dict(quota)
        limit = Limit(requests_per_minute, _MINUTE)
        await _take(self._edge.buckets, ("client", client_id), "client", limit, quota)
        quota[:] = [(name, everybody[name] + b", " + value) for name, value in quota]


async def _take(buckets: Buckets, key: Key, name: str, limit: Limit, quota: Quota) -> None:
    decision = await buckets.take(key, limit)
    quota[:] = limits.fields(name, limit, decision)
    if not decision.allowed:
        metrics.RATE_LIMITED.labels(name).inc()
        seconds = decision.retry_after_seconds
        raise RateLimited(f"Try again in {seconds} s.", headers={"Retry-After": str(seconds)})
