"""The routes and limits in force: those of `gateway.routes`, changed by the file that `LENDERY_GATEWAY_ROUTES_FILE` names.

The file is JSON. `limits` sets limits by class, as LENDERY_GATEWAY_LIMITS does; each of `routes` names a pattern and methods and
changes what is known about them, or, with a service, adds a route:

    {"limits": {"heavy": "10/60"},
     "routes": [{"methods": ["POST"], "pattern": "/v1/transfers", "timeout_seconds": 10, "body_limit_bytes": 4096}]}

It is read again when it changes and on SIGHUP. Requests under way finish by the table that they began with; a file that
contradicts itself changes nothing and is told about in the log.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from gateway.limits import Limit
from gateway.routing import Route, RouteTable, RouteTableInvalid

_SETTABLE = frozenset(field.name for field in fields(Route)) - {"pattern", "methods"}


class Table:
    """One generation of routes and limits. Never changed: a new one takes its place."""

    def __init__(self, routes: Collection[Route], limits: Mapping[str, Limit], *, services: Collection[str]) -> None:
        """Raises `RouteTableInvalid` naming everything that is wrong."""
        self.limits = dict(limits)
        self.routes = RouteTable(routes, services=services, limits=self.limits)


def load(file: Path | None, routes: Collection[Route], limits: Mapping[str, Limit], *, services: Collection[str]) -> Table:
    """The table of `routes` and `limits`, changed as `file` says. Raises `RouteTableInvalid`."""
    if file is None:
        return Table(routes, limits, services=services)
    try:
        given = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(given, dict) or not given.keys() <= {"limits", "routes"}:
            raise ValueError("it must be an object with `limits` and `routes`")
        changed = {**limits, **{str(name): Limit.parse(str(text)) for name, text in dict(given.get("limits", {})).items()}}
        if unknown := changed.keys() - limits.keys():
            raise ValueError(f"unknown limit {', '.join(sorted(unknown))}")
        table = list(routes)
        for change in given.get("routes", []):
            table = _changed(table, dict(change))
        return Table(table, changed, services=services)
    except RouteTableInvalid:
        raise
    except (OSError, ValueError, TypeError) as error:
        raise RouteTableInvalid(f"{file.name}: {error}") from error


def _changed(table: list[Route], change: dict[str, Any]) -> list[Route]:
    pattern, methods = str(change.pop("pattern", "")), frozenset(change.pop("methods", ()))
    if unknown := change.keys() - _SETTABLE:
        raise ValueError(f"{pattern}: unknown {', '.join(sorted(unknown))}")
    if "roles" in change:
        change["roles"] = frozenset(change["roles"])
    result: list[Route] = []
    found = frozenset[str]()
    for route in table:
        some = route.methods & methods if route.pattern == pattern else frozenset[str]()
        if not some:
            result.append(route)
            continue
        found |= some
        if others := route.methods - some:
            result.append(replace(route, methods=others))
        result.append(replace(route, methods=some, **change))
    if new := methods - found:
        if "service" not in change:
            raise ValueError(f"{','.join(sorted(new))} {pattern}: there is no such route; a new one needs a service")
        result.append(Route(**{"limit": "read", **change, "pattern": pattern, "methods": new}))
    if not methods:
        raise ValueError(f"{pattern}: name the methods")
    return result
