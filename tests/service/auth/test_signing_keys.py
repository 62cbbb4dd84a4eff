"""Signing keys over their whole life in the database, and what operators may do with them."""

from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from cryptography.hazmat.primitives import serialization

from services.auth.commands.rotate_keys import rotate_keys_on_schedule
from services.auth.domain.signing_keys import PUBLISHED_AHEAD, VERIFIES_FOR
from shared.identity.tokens import token_header
from shared.service import Service
from tests.service.auth.conftest import MovableClock, Person, Sent, log_in, problem

SMALL = timedelta(seconds=1)


async def published(client: httpx.AsyncClient) -> list[str]:
    answer = await client.get("/.well-known/jwks.json")
    assert answer.headers["cache-control"] == "no-cache", "nobody in between keeps a key that may be revoked"
    for key in answer.json()["keys"]:
        assert set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use"}, "no private half"
    return [key["kid"] for key in answer.json()["keys"]]


async def signer(client: httpx.AsyncClient, person: Person) -> str:
    return str(token_header((await log_in(client, person.email))["access_token"])["kid"])


async def test_rotation_on_schedule(
    client: httpx.AsyncClient, service: Service, amina: Person, clock: MovableClock, owner: asyncpg.Connection, sent: Sent
) -> None:
    async def tick(ahead: timedelta) -> None:
        clock.ahead = ahead
        await rotate_keys_on_schedule(service.context)

    (first,) = await published(client)
    period = timedelta(days=30)
    await tick(period - timedelta(minutes=1))
    assert await published(client) == [first]
    await tick(period + SMALL)
    second, _ = await published(client)
    assert await signer(client, amina) == first, "the new one is not known everywhere yet"
    await tick(period + PUBLISHED_AHEAD + 2 * SMALL)
    assert await signer(client, amina) == second
    assert await published(client) == [second, first], "tokens of the old one are about"
    assert await owner.fetchval("SELECT private_key IS NOT NULL FROM auth.signing_keys WHERE id = $1", first)
    await tick(period + PUBLISHED_AHEAD + VERIFIES_FOR + 3 * SMALL)
    assert await published(client) == [second]
    assert await owner.fetchval("SELECT private_key IS NULL FROM auth.signing_keys WHERE id = $1", first), "erased"
    assert [event["key_id"] for event in await sent("auth.signing_key.added")] == [first, second]


async def test_private_halves_are_encrypted_at_rest(service: Service, owner: asyncpg.Connection) -> None:
    sealed = await owner.fetchval("SELECT private_key FROM auth.signing_keys")
    pem = (await service.context.key_ring.signing()).private_key_pem
    key = serialization.load_pem_private_key(pem.encode(), None)
    der = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    assert b"PRIVATE KEY" not in sealed
    assert der not in sealed
    secret = key.private_numbers().private_value.to_bytes(32)  # type: ignore[union-attr]
    assert secret not in sealed


async def test_an_operator_rotates_and_revokes(
    client: httpx.AsyncClient, amina: Person, admin: Person, sent: Sent, owner: asyncpg.Connection
) -> None:
    async def states() -> dict[str, str]:
        answer = await client.get("/v1/admin/signing-keys", headers=admin.headers)
        assert answer.status_code == 200, answer.text
        assert "private" not in answer.text.lower()
        return {key["id"]: key["state"] for key in answer.json()["items"]}

    (first,) = await published(client)
    made = await client.post("/v1/admin/signing-keys/rotate", headers=admin.headers)
    assert (made.status_code, made.json()["state"]) == (201, "upcoming")
    second = made.json()["id"]
    assert await states() == {second: "upcoming", first: "signing"}
    reason: dict[str, Any] = {"reason": "found in a log"}
    revoked = await client.post(f"/v1/admin/signing-keys/{first}/revoke", json=reason, headers=admin.headers)
    assert (revoked.status_code, revoked.json()["state"]) == (200, "revoked")
    assert await published(client) == [second], "at once"
    for person in (amina, admin):
        assert problem(await client.get("/v1/me", headers=person.headers)) == (401, "unauthenticated"), "the operator's own, too"
    renewed = await client.post("/v1/auth/refresh", json={"refresh_token": amina.tokens["refresh_token"]})
    assert renewed.status_code == 200
    assert token_header(renewed.json()["access_token"])["kid"] == second
    bearer = {"Authorization": f"Bearer {renewed.json()['access_token']}"}
    assert (await client.get("/v1/me", headers=bearer)).status_code == 200
    (event,) = await sent("auth.signing_key.revoked")
    assert (event["key_id"], event["reason"], event["revoked_by"]) == (first, "found in a log", str(admin.id))
    assert await owner.fetchval("SELECT private_key IS NULL FROM auth.signing_keys WHERE id = $1", first)
    actions = [row["action"] for row in await owner.fetch("SELECT action FROM auth.audit_log WHERE action LIKE 'signing_key%'")]
    assert actions.count("signing_key.created") == 2
    assert actions.count("signing_key.revoked") == 1


async def test_revoking_the_only_key_makes_another(client: httpx.AsyncClient, amina: Person, admin: Person) -> None:
    (only,) = await published(client)
    path, reason = f"/v1/admin/signing-keys/{only}/revoke", {"reason": "a drill"}
    assert (await client.post(path, json=reason, headers=admin.headers)).status_code == 200
    (other,) = await published(client)
    assert other != only
    assert await signer(client, amina) == other


@pytest.mark.parametrize("method_and_path", ["GET ", "POST /rotate", "POST /x/revoke"])
async def test_keys_are_for_administrators(client: httpx.AsyncClient, amina: Person, method_and_path: str) -> None:
    method, path = method_and_path.split(" ")
    body = {"reason": "x"} if path.endswith("revoke") else None
    answer = await client.request(method, f"/v1/admin/signing-keys{path}", json=body, headers=amina.headers)
    assert problem(answer) == (403, "forbidden")


async def test_an_unknown_key(client: httpx.AsyncClient, admin: Person) -> None:
    unknown = await client.post("/v1/admin/signing-keys/nothing/revoke", json={"reason": "x"}, headers=admin.headers)
    assert problem(unknown) == (404, "signing_key_not_found")


async def test_touching_keys_needs_a_fresh_login(client: httpx.AsyncClient, admin: Person, clock: MovableClock) -> None:
    clock.ahead = timedelta(minutes=11)
    for path in ("/rotate", "/x/revoke"):
        body = {"reason": "x"} if path.endswith("revoke") else None
        answer = await client.post(f"/v1/admin/signing-keys{path}", json=body, headers=admin.headers)
        assert problem(answer) == (401, "step_up_required")
