"""Attacks that send fields which are not theirs to set."""

from typing import Any

import asyncpg
import httpx
import pytest

from tests.service.auth.conftest import Person, problem

STOLEN: dict[str, Any] = {
    "id": "01900000-0000-7000-8000-000000000000",
    "user_id": "01900000-0000-7000-8000-000000000000",
    "owner_id": "01900000-0000-7000-8000-000000000000",
    "roles": ["admin"],
    "role": "admin",
    "status": "active",
    "email_verified": True,
    "email_verified_at": "2026-01-01T00:00:00Z",
    "phone_verified": True,
    "kyc_status": "approved",
    "password_hash": "x",
    "mfa": False,
    "created_at": "2026-01-01T00:00:00Z",
    "is_admin": True,
    "__proto__": {"roles": ["admin"]},
}
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/v1/auth/register"): {"email": "n@example.com", "password": "a long enough secret", "full_name": "N"},
    ("POST", "/v1/auth/login"): {"email": "amina@example.com", "password": "a long enough secret"},
    ("POST", "/v1/auth/refresh"): {"refresh_token": "x"},
    ("POST", "/v1/auth/password/forgot"): {"email": "amina@example.com"},
    ("POST", "/v1/auth/password/reset"): {"token": "x", "new_password": "another long secret"},
    ("POST", "/v1/auth/password/change"): {"current_password": "a long enough secret", "new_password": "another long secret"},
    ("POST", "/v1/auth/email/verify"): {"token": "x"},
    ("POST", "/v1/auth/email/change"): {"email": "other@example.com"},
    ("POST", "/v1/auth/email/change/confirm"): {"token": "x"},
    ("POST", "/v1/auth/oauth/exchange"): {"code": "x"},
    ("POST", "/v1/auth/identities/confirm"): {"token": "x"},
    ("PATCH", "/v1/me"): {"language": "sw"},
    ("POST", "/v1/api-clients"): {"name": "x", "scopes": ["wallets:read"]},
}


@pytest.mark.parametrize(("method", "path"), BODIES, ids=lambda part: part)
async def test_fields_of_others(
    client: httpx.AsyncClient, amina: Person, owner: asyncpg.Connection, method: str, path: str
) -> None:
    before = await owner.fetch("SELECT * FROM auth.users ORDER BY id")
    for name, value in STOLEN.items():
        answer = await client.request(method, path, json=BODIES[method, path] | {name: value}, headers=amina.headers)
        assert problem(answer) == (422, "validation_error"), (name, answer.text)
        assert any(name in error["field"] for error in answer.json()["errors"]), name
    assert await owner.fetch("SELECT * FROM auth.users ORDER BY id") == before
    assert await owner.fetchval("SELECT count(*) FROM auth.api_clients") == 0


async def test_a_query_or_a_form_sets_nothing_either(client: httpx.AsyncClient, amina: Person, owner: asyncpg.Connection) -> None:
    await client.patch("/v1/me?roles=admin&status=active", json={"language": "sw"}, headers=amina.headers)
    form = await client.patch("/v1/me", data={"language": "fr", "roles": "admin"}, headers=amina.headers)
    assert problem(form) == (422, "validation_error")
    roles = await owner.fetchval("SELECT roles FROM auth.users WHERE id = $1", amina.id)
    assert roles == ["user"]
