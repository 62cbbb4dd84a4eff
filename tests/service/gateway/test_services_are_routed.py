"""Every call that a service has can be reached through the gateway, and asks for no more than the service does."""

import re
import typing
from importlib import import_module

import pytest

from gateway.routes import BUSINESS
from gateway.routing import Route, RouteTable
from gateway.settings import PRODUCTION_LIMITS
from tests.support.identity import platform_for_tests

SERVICES = ("auth", "wallet_ledger", "lending", "payments", "notifications")
TABLE = RouteTable(BUSINESS, services=SERVICES, limits=PRODUCTION_LIMITS)


@pytest.mark.parametrize("service", SERVICES)
async def test_every_operation_of_a_service_is_routed_to_it(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1/never_connected")
    build = import_module(f"services.{service}.main").build
    built = build(typing.get_type_hints(build)["settings"](), platform_for_tests())
    found = 0
    for path, item in built.app.openapi()["paths"].items():
        for method, operation in item.items():
            route = TABLE.find(method.upper(), re.sub(r"\{[^}]*\}", "-", path))
            assert isinstance(route, Route), f"{method.upper()} {path} has no route"
            assert route.service == service, f"{path} goes to {route.service}"
            assert route.public or operation.get("security"), f"the gateway asks for a login for {path}, its service does not"
            found += 1
    assert found
    await built.database.dispose()
