"""How the table of routes is written: blocks of lines, and what the routes of a block have in common."""

from collections.abc import Iterable
from dataclasses import replace

from gateway.routing import Route

OPERATORS = frozenset({"support", "admin"})
ADMIN = frozenset({"admin"})
REPORT_SECONDS = 120.0
WHOLE_LEDGER_SECONDS = 900.0
STREAM_SECONDS = 120.0
FILES_BYTES = 12 << 20
SETTLEMENTS_BYTES = 16 << 20
LARGE_FILE_BYTES = 32 << 20
KEYS_KEPT = "public, max-age=60"
LISTS_KEPT = "public, max-age=60"


def rows(service: str, block: str, **settings: object) -> list[Route]:
    """The routes of a block of lines such as `GET,POST /v1/wallets`."""
    routes = []
    for row in block.strip().splitlines():
        methods, pattern = row.split()
        route = Route(pattern, frozenset(methods.split(",")), service, limit="read")
        routes += [replace(part, **settings) for part in _by_safety(route)]  # type: ignore[arg-type]
    return routes


def _by_safety(route: Route) -> Iterable[Route]:
    """Reads and writes of the same address are limited apart."""
    reads, writes = route.methods & {"GET"}, route.methods - {"GET"}
    if reads:
        yield replace(route, methods=reads)
    if writes:
        yield replace(route, methods=writes, limit="write")


def scoped(scope: str, routes: Iterable[Route]) -> list[Route]:
    """The same routes, open to API clients that have `scope:read` or `scope:write`."""
    return [replace(route, scope=f"{scope}:{'read' if route.methods == {'GET'} else 'write'}") for route in routes]
