"""From method and path to the route: what a route is, how a table of them is checked and searched. Pure."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Literal

from shared.identity.roles import ROLES
from shared.identity.scopes import SCOPES

_PATTERN = re.compile(r"(?:/(?:[a-z0-9._-]+|\{[a-z_]+\}))+(?:/\*)?")
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_CACHE = re.compile(r"(?:public|no-cache)(?:, [a-z-]+(?:=\d+)?)*")
_MAX_TIMEOUT_SECONDS = 3600.0


@dataclass(frozen=True)
class Route:
    """One public address: where it leads and who may go there.

    `pattern`: `{name}` stands for one part of the path, `/*` at the end for one part or more.
    `public`: no access token is asked for; the service decides. Otherwise a valid token, with one of `roles` if there are any.
    `scope`: what an API client (role `partner`) needs in its token; people are not asked for it.
    `limit`: the rate limit class. `timeout_seconds`: to the first byte of the answer, and between any two pieces of it.
    `own_limit`: a second limit, counted for this route alone: for what costs much, or what nobody does often.
    `idempotency`: `required` refuses a POST without an Idempotency-Key before the service hears of it.
    `cache`: the Cache-Control of answers whose service does not say one; they have an ETag.
    `cookies`: whether cookies pass, both ways. `signed`: a caller outside signs the request, so its signature headers pass.
    """

    pattern: str
    methods: frozenset[str]
    service: str
    limit: str
    public: bool = False
    roles: frozenset[str] = frozenset()
    scope: str | None = None
    timeout_seconds: float = 35.0
    body_limit_bytes: int = 1 << 20
    cookies: bool = False
    signed: bool = False
    own_limit: str | None = None
    idempotency: Literal["required"] | None = None
    cache: str | None = None


class RouteTableInvalid(Exception):
    """The table contradicts itself or the configuration; the gateway does not start."""


@dataclass(frozen=True)
class WrongMethod:
    """The path exists, for other methods."""

    pattern: str
    allow: str


@dataclass
class _Node:
    fixed: dict[str, "_Node"] = field(default_factory=dict)
    any: "_Node | None" = None
    rest: dict[str, Route] = field(default_factory=dict)
    here: dict[str, Route] = field(default_factory=dict)


class RouteTable:
    """A checked table, searched part by part: a fixed part is preferred to `{name}`, and both to `/*`."""

    def __init__(self, routes: Iterable[Route], *, services: Collection[str], limits: Collection[str]) -> None:
        """Raises `RouteTableInvalid` naming everything that is wrong."""
        self.routes = tuple(routes)
        self._root = _Node()
        faults = [fault for route in self.routes for fault in _faults(route, services, limits)]
        for route in self.routes:
            faults.extend(self._add(route))
        if faults:
            raise RouteTableInvalid("; ".join(faults))

    def _add(self, route: Route) -> Iterable[str]:
        node, parts = self._root, route.pattern[1:].split("/")
        rest = parts[-1] == "*"
        for part in parts[:-1] if rest else parts:
            if part.startswith("{"):
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.fixed.setdefault(part, _Node())
        place = node.rest if rest else node.here
        for method in sorted(route.methods):
            if place.setdefault(method, route) is not route:
                yield f"{method} {route.pattern} is there twice"

    def find(self, method: str, path: str) -> Route | WrongMethod | None:
        """The route of the most specific pattern that fits `path`; None when none does. HEAD goes where GET goes."""
        place = _search(self._root, path[1:].split("/"), 0)
        if not place:
            return None
        route = place.get("GET" if method == "HEAD" else method)
        if route is not None:
            return route
        allowed = {*place, "OPTIONS", *(["HEAD"] if "GET" in place else [])}
        return WrongMethod(next(iter(place.values())).pattern, ", ".join(sorted(allowed)))


def _search(node: _Node, parts: list[str], at: int) -> dict[str, Route]:
    if at == len(parts):
        return node.here
    part = parts[at]
    if part:
        following = node.fixed.get(part)
        if following and (found := _search(following, parts, at + 1)):
            return found
        if node.any and (found := _search(node.any, parts, at + 1)):
            return found
        return node.rest
    # A slash at the end names a part of its own only below `/*`: pages may have such addresses, calls have not.
    return node.rest if at == len(parts) - 1 else {}


def _faults(route: Route, services: Collection[str], limits: Collection[str]) -> Iterable[str]:
    def fault(what: str) -> str:
        return f"{route.pattern}: {what}"

    if not _PATTERN.fullmatch(route.pattern):
        yield fault("the pattern is not one")
    if not route.methods or not route.methods <= _METHODS:
        yield fault("methods must be some of " + ", ".join(sorted(_METHODS)))
    if route.service not in services:
        yield fault(f"no service {route.service}")
    for limit in (route.limit, route.own_limit or route.limit):
        if limit not in limits:
            yield fault(f"no limit class {limit}")
    if not route.roles <= ROLES.keys():
        yield fault("unknown role")
    if route.scope is not None and route.scope not in SCOPES:
        yield fault(f"no scope {route.scope} in shared/identity/scopes.py")
    if route.public and (route.roles or route.scope):
        yield fault("a public route cannot ask for a role or scope")
    if not 0 < route.timeout_seconds <= _MAX_TIMEOUT_SECONDS:
        yield fault(f"the timeout must be within {_MAX_TIMEOUT_SECONDS:.0f} seconds")
    if route.idempotency not in (None, "required") or (route.idempotency and (route.public or "POST" not in route.methods)):
        yield fault("idempotency is for POSTs of people who are logged in")
    if route.cache is not None and not (route.public and route.methods == {"GET"} and _CACHE.fullmatch(route.cache)):
        yield fault("a cache rule is a Cache-Control for a public GET, such as `public, max-age=60`")
    if route.body_limit_bytes <= 0:
        yield fault("the body limit must be positive")
    if route.pattern.startswith("/v1/admin/") and not route.roles:
        yield fault("operators' calls need a role")
