"""Nobody relies on the gateway: every service itself turns away whoever calls an operators' route without the role, and
every route that asks for a login asks for it itself. The roles are exactly those of the table, docs/permissions.md."""

import pkgutil
import re
import typing
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from gateway.routes import BUSINESS
from gateway.routing import Route, RouteTable
from gateway.settings import PRODUCTION_LIMITS
from services.auth import api
from services.auth.api import callers
from shared.identity.roles import ROLES
from shared.ids import new_id
from tests.support.identity import bearer, platform_for_tests

SERVICES = ("auth", "wallet_ledger", "lending", "payments", "notifications")
TABLE = RouteTable(BUSINESS, services=SERVICES, limits=PRODUCTION_LIMITS)


def operations(app: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in app.openapi()["paths"].items():
        for method, operation in item.items():
            yield method.upper(), re.sub(r"\{[^}]*\}", str(new_id()), path), operation


@pytest.mark.parametrize("service", SERVICES)
async def test_roles_and_logins_are_asked_for(service: str, monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    build = import_module(f"services.{service}.main").build
    built = build(typing.get_type_hints(build)["settings"](), platform_for_tests())
    transport = httpx.ASGITransport(app=built.app, raise_app_exceptions=False)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            for method, path, operation in operations(built.app):
                if not operation.get("security"):
                    assert "/admin/" not in path
                    continue
                await _asks_for_a_login(client, method, path)
                if "/admin/" in path and service != "auth":  # which asks the account itself: see below
                    await _asks_for_the_role(client, method, path)
    finally:
        await built.database.dispose()


async def _asks_for_a_login(client: httpx.AsyncClient, method: str, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer x.y.z"}, {"X-User-Id": str(new_id()), "X-User-Roles": "admin"}):
        answer = await client.request(method, path, json={}, headers={"Idempotency-Key": "k", **headers})
        assert answer.status_code == 401, (method, path, answer.text)


async def _asks_for_the_role(client: httpx.AsyncClient, method: str, path: str) -> None:
    route = TABLE.find(method, path)
    assert isinstance(route, Route), (method, path)
    for role in ROLES:
        headers = {"Idempotency-Key": "k", **bearer(new_id(), roles=(role,))}
        answer = await client.request(method, path, json={}, headers=headers)
        assert (answer.status_code == 403) == (role not in route.roles), (method, path, role, answer.text)


def test_auth_asks_the_account_for_the_role() -> None:
    """A role in the token was true when it was made; auth looks whether it is still."""
    asks = {callers._admin: {"admin"}, callers._reviewer: {"admin", "support"}}
    found = 0
    for module in pkgutil.iter_modules(api.__path__, f"{api.__name__}."):
        router = getattr(import_module(module.name), "router", None)
        for endpoint in router.routes if router else ():
            if isinstance(endpoint, APIRoute) and "/admin/" in endpoint.path:
                route = TABLE.find(min(endpoint.methods), re.sub(r"\{[^}]*\}", "-", endpoint.path))
                assert isinstance(route, Route), endpoint.path
                roles = [asks[call] for call in _dependencies(endpoint.dependant) if call in asks]
                assert roles == [route.roles], endpoint.path
                found += 1
    assert found > 10


def _dependencies(dependant: Dependant) -> Iterator[Any]:
    for one in dependant.dependencies:
        yield one.call
        yield from _dependencies(one)
