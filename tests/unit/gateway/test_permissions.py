"""The table of who may call what, as it is written out."""

from gateway.permissions import permissions
from gateway.routes import BUSINESS
from gateway.settings import PRODUCTION_LIMITS
from shared.identity.roles import ROLES
from shared.identity.scopes import SCOPES

PAGE = permissions(BUSINESS, PRODUCTION_LIMITS)


def test_every_call_has_its_row() -> None:
    for route in BUSINESS:
        for method in route.methods:
            (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{method} {route.pattern}` |")]
            assert ("everybody" in row) == route.public
            for role in ROLES:
                assert (f"`{role}`" in row) == (role in route.roles)
            assert (f"`{route.scope}`" in row) == (route.scope is not None)


def test_no_operators_call_is_open_and_no_client_is_an_operator() -> None:
    for route in BUSINESS:
        if route.pattern.startswith("/v1/admin/"):
            assert route.roles, route.pattern
            assert route.roles <= {"support", "admin"}, route.pattern
            assert route.scope is None, route.pattern


def test_roles_and_scopes_are_explained() -> None:
    for name, meaning in {**ROLES, **SCOPES}.items():
        assert f"| `{name}` | {meaning} |" in PAGE
