"""Who may call what, written out from the table of routes: docs/permissions.md."""

from collections.abc import Collection, Iterable, Mapping

from gateway.limits import Limit
from gateway.routing import Route
from shared.identity.roles import ROLES
from shared.identity.scopes import SCOPES

_INTRODUCTION = """\
# Permissions

Who may call what. The gateway refuses by this table before a service hears of a call, and every service checks the role again
by itself. Somebody else's object is `404`, a missing role or scope `403`. Written by `make contracts` from `gateway/routes.py`:
do not edit.
"""
_READING = """\
- **everybody**: no login is asked for; the service decides by what is in the request.
- **logged in**: any person with an account, for what is their own.
- Roles of operators are given by two administrators together, and looked up in the account again by the auth service.
- An API client calls what has a scope, if its token has that scope; and nothing else. People need no scopes.
- A limit counts requests of one person and class (of one network address, where everybody may call); a second one counts that
  call alone. The numbers are those of production; `LENDERY_GATEWAY_LIMITS` changes them.
"""


def permissions(routes: Iterable[Route], limits: Mapping[str, Limit]) -> str:
    """The table as Markdown."""
    known = list(routes)
    lines = [_INTRODUCTION, *_list("Roles", "Role", ROLES), *_list("Scopes of API clients", "Scope", SCOPES)]
    lines += ["## Calls", "", _READING]
    for service in dict.fromkeys(route.service for route in known):
        lines += [
            f"### {service.replace('_', '-').capitalize()}",
            "",
            "| Call | Who | Scope | Limit |",
            "| --- | --- | --- | --- |",
        ]
        lines += [row for route in known if route.service == service for row in _rows(route, limits)]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _list(title: str, head: str, meanings: Mapping[str, str]) -> Collection[str]:
    rows = [f"| `{name}` | {meaning} |" for name, meaning in meanings.items()]
    return [f"## {title}", "", f"| {head} | Meaning |", "| --- | --- |", *rows, ""]


def _rows(route: Route, limits: Mapping[str, Limit]) -> Iterable[str]:
    names = [route.limit] if route.own_limit is None else [route.limit, route.own_limit]
    counted = "; ".join(f"{name}: {limits[name].requests} in {limits[name].seconds:g} s" for name in names)
    scope = f"`{route.scope}`" if route.scope else ""
    for method in sorted(route.methods):
        yield f"| `{method} {route.pattern}` | {_who(route)} | {scope} | {counted} |"


def _who(route: Route) -> str:
    if route.public:
        return "everybody"
    return ", ".join(f"`{role}`" for role in sorted(route.roles)) or "logged in"
