"""Nobody relies on the gateway: every service itself turns away whoever calls an operators' route without the role, and
every route that asks for a login asks for it itself."""

import re
import typing
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import httpx
import pytest

from shared.ids import new_id
from tests.support.identity import bearer, platform_for_tests

SERVICES = ("auth", "wallet_ledger", "lending", "payments", "notifications")
# The books and the loans are for administrators; support reads, and reviews identities.
ADMINS_ONLY = re.compile(r"verify|reverse|freeze|limits|close|/admin/(loans|close-of-business|withdrawals|treasury|reports|audit-log)")


def operations(app: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in app.openapi()["paths"].items():
        for method, operation in item.items():
            yield method.upper(), re.sub(r"\{[^}]*\}", str(new_id()), path), operation


@pytest.mark.parametrize("service", SERVICES)
async def test_roles_and_logins_are_asked_for(service: str, monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    build = import_module(f"services.{service}.main").build
    built = build(typing.get_type_hints(build)["settings"](), platform_for_tests())
    transport = httpx.ASGITransport(app=built.app)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            for method, path, operation in operations(built.app):
                if not operation.get("security"):
                    assert "/admin/" not in path
                    continue
                await _asks_for_a_login(client, method, path)
                if "/admin/" in path and service != "auth":  # which asks the session, and has tests of its own
                    await _asks_for_the_role(client, method, path)
    finally:
        await built.database.dispose()


async def _asks_for_a_login(client: httpx.AsyncClient, method: str, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer x.y.z"}, {"X-User-Id": str(new_id()), "X-User-Roles": "admin"}):
        answer = await client.request(method, path, json={}, headers={"Idempotency-Key": "k", **headers})
        assert answer.status_code == 401, (method, path, answer.text)


async def _asks_for_the_role(client: httpx.AsyncClient, method: str, path: str) -> None:
    for roles in (("user",), ("partner",), *([("support",)] if ADMINS_ONLY.search(path) else [])):
        headers = {"Idempotency-Key": "k", **bearer(new_id(), roles=roles)}
        answer = await client.request(method, path, json={}, headers=headers)
        assert answer.status_code == 403, (method, path, roles, answer.text)
