"""Who is calling, seen from the edge: a valid access token, and the role or scope that the route asks for."""

from gateway.routing import Route
from shared.identity import Principal
from shared.problems import Forbidden, Unauthenticated

_PARTNER = frozenset({"partner"})


def bearer_token(authorization: str | None) -> str:
    """The token of an `Authorization` header. Raises `Unauthenticated`."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("Send the access token as `Authorization: Bearer …`.", headers={"WWW-Authenticate": "Bearer"})
    return token.strip()


def authorise(principal: Principal, route: Route) -> None:
    """Raises `Forbidden` when the caller lacks the role or scope that the route asks for."""
    if route.roles and principal.roles.isdisjoint(route.roles):
        raise Forbidden(f"This needs the role {' or '.join(sorted(route.roles))}. Ask an administrator.")
    if principal.roles != _PARTNER:
        return
    if route.scope is None:
        raise Forbidden("An API client cannot call this: no scope covers it. Log in as a person.")
    if route.scope not in principal.scopes:
        raise Forbidden(f"This needs the scope {route.scope}. Give it to the API client and get a new token.")
