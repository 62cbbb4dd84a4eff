"""Logging in, and what is done against guessing."""

import base64
import json
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from services.auth.store.sessions import open_session
from shared.identity.tokens import TokenRules, verify_token
from shared.service import Service
from tests.service.auth.conftest import PASSWORD, MovableClock, Person, at_once, log_in, problem
from tests.support.identity import bearer


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def from_address(client: httpx.AsyncClient, email: str, password: str, address: str) -> Any:
    """A login through our own gateway, for a client at `address`."""
    return client.post(
        "/v1/auth/login", json={"email": email, "password": password}, headers={"X-Forwarded-For": f"10.0.0.9, {address}"}
    )


@pytest.fixture
async def behind_gateway(service: Service) -> Any:
    transport = httpx.ASGITransport(service.app, client=("10.0.0.1", 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://auth.internal") as http:
        yield http


async def test_the_tokens_are_good_everywhere(client: httpx.AsyncClient, amina: Person) -> None:
    assert amina.tokens.keys() == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert amina.tokens["token_type"] == "Bearer"
    assert amina.tokens["expires_in"] == 900
    jwks = (await client.get("/.well-known/jwks.json")).json()
    keys = {key["kid"]: key for key in jwks["keys"]}
    principal = verify_token(amina.tokens["access_token"], keys, TokenRules("http://localhost:8000", "lendery"))
    assert principal.user_id == amina.id
    assert principal.roles == {"user"}
    assert principal.email_verified is False
    assert principal.methods == {"pwd"}
    claims = claims_of(amina.tokens["access_token"])
    assert claims["exp"] - claims["iat"] == 900
    assert claims["scope"] == ""
    assert abs(claims["auth_time"] - time.time()) < 30
    assert "email" not in claims
    assert all("d" not in key for key in keys.values())


async def test_answers_with_tokens_are_not_cached(client: httpx.AsyncClient, amina: Person) -> None:
    answer = await client.post("/v1/auth/login", json={"email": "AMINA@example.com", "password": PASSWORD})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


async def test_unknown_and_wrong_look_alike(client: httpx.AsyncClient, amina: Person, owner: asyncpg.Connection) -> None:
    wrong = await client.post("/v1/auth/login", json={"email": amina.email, "password": "not this one"})
    unknown = await client.post("/v1/auth/login", json={"email": "nobody@example.com", "password": "not this one"})
    assert problem(wrong) == problem(unknown) == (401, "invalid_credentials")
    assert {**wrong.json(), "trace_id": ""} == {**unknown.json(), "trace_id": ""}
    assert await owner.fetchval("SELECT count(*) FROM auth.sessions WHERE user_id = $1", amina.id) == 1


@pytest.mark.parametrize("body", [{}, {"email": "a@example.com"}, {"email": "a@example.com", "password": 1}])
async def test_bad_bodies(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert problem(await client.post("/v1/auth/login", json=body)) == (422, "validation_error")


async def test_guessing_is_slowed_down_and_then_allowed_again(
    client: httpx.AsyncClient, amina: Person, clock: MovableClock
) -> None:
    for _ in range(5):
        assert (await client.post("/v1/auth/login", json={"email": amina.email, "password": "guess"})).status_code == 401
    refused = await client.post("/v1/auth/login", json={"email": amina.email, "password": PASSWORD})
    assert problem(refused) == (429, "too_many_attempts")
    assert 1 <= int(refused.headers["retry-after"]) <= 30
    clock.ahead += timedelta(seconds=31)
    await log_in(client, amina.email)
    clock.ahead = timedelta(0)
    await log_in(client, amina.email)


async def test_unknown_accounts_are_limited_alike(client: httpx.AsyncClient) -> None:
    statuses = [
        (await client.post("/v1/auth/login", json={"email": "nobody@example.com", "password": "guess"})).status_code
        for _ in range(6)
    ]
    assert statuses == [401] * 5 + [429]


async def test_guesses_in_parallel_do_not_slip_through(client: httpx.AsyncClient, amina: Person) -> None:
    answers = await at_once(
        *(client.post("/v1/auth/login", json={"email": amina.email, "password": f"guess {n}"}) for n in range(40))
    )
    wrong = [answer for answer in answers if answer.status_code == 401]
    assert len(wrong) <= 5 + 1  # the free ones, and one more under way on the other thread
    assert {answer.status_code for answer in answers} == {401, 429}


async def test_the_right_password_in_parallel_always_works(client: httpx.AsyncClient, amina: Person) -> None:
    answers = await at_once(
        *(client.post("/v1/auth/login", json={"email": amina.email, "password": PASSWORD}) for _ in range(30))
    )
    assert {answer.status_code for answer in answers} == {200}


async def test_an_attacker_elsewhere_does_not_lock_the_owner_out(
    client: httpx.AsyncClient, behind_gateway: httpx.AsyncClient, amina: Person
) -> None:
    refused = 0
    for number in range(30):
        answer = await from_address(behind_gateway, amina.email, "guess", f"198.51.100.{number}")
        refused += answer.status_code == 429
    assert refused >= 8  # the account as a whole is guarded
    await log_in(client, amina.email)  # from where the owner has logged in before
    new_place = await from_address(behind_gateway, amina.email, PASSWORD, "192.0.2.55")
    assert new_place.status_code == 429
    assert int(new_place.headers["retry-after"]) <= 60


async def test_one_address_that_tries_many_accounts_is_stopped(client: httpx.AsyncClient) -> None:
    answers = [
        await client.post("/v1/auth/login", json={"email": f"user{number}@example.com", "password": "guess"})
        for number in range(101)
    ]
    assert answers[99].status_code == 401
    assert problem(answers[100]) == (429, "too_many_attempts")


async def test_a_suspended_account_cannot_log_in(client: httpx.AsyncClient, amina: Person, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE auth.users SET status = 'suspended' WHERE id = $1", amina.id)
    refused = await client.post("/v1/auth/login", json={"email": amina.email, "password": PASSWORD})
    assert problem(refused) == (403, "account_suspended")
    wrong = await client.post("/v1/auth/login", json={"email": amina.email, "password": "not this one"})
    assert problem(wrong) == (401, "invalid_credentials")
    assert problem(await client.get("/v1/me", headers=amina.headers)) == (401, "session_ended")


async def test_a_bcrypt_hash_is_accepted_and_replaced(
    client: httpx.AsyncClient, amina: Person, owner: asyncpg.Connection
) -> None:
    from passlib.hash import bcrypt

    old = bcrypt.using(rounds=4).hash(PASSWORD)
    await owner.execute("UPDATE auth.users SET password_hash = $2 WHERE id = $1", amina.id, old)
    await log_in(client, amina.email)
    stored = await owner.fetchval("SELECT password_hash FROM auth.users WHERE id = $1", amina.id)
    assert stored.startswith("$argon2id$")
    await log_in(client, amina.email)


@pytest.mark.parametrize("stored", [None, "", "garbage", "$argon2id$v=19$broken"])
async def test_an_account_without_a_usable_hash_cannot_log_in(
    client: httpx.AsyncClient, amina: Person, owner: asyncpg.Connection, stored: str | None
) -> None:
    await owner.execute("UPDATE auth.users SET password_hash = $2 WHERE id = $1", amina.id, stored)
    refused = await client.post("/v1/auth/login", json={"email": amina.email, "password": PASSWORD})
    assert problem(refused) == (401, "invalid_credentials")


async def test_bad_access_tokens(client: httpx.AsyncClient, amina: Person) -> None:
    assert problem(await client.get("/v1/me")) == (401, "unauthenticated")
    for token in ("", "x", "a.b.c", amina.tokens["access_token"][:-4] + "AAAA", amina.tokens["refresh_token"]):
        answer = await client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
        assert problem(answer) == (401, "unauthenticated")
    foreign = await client.get("/v1/me", headers=bearer(amina.id))
    assert problem(foreign) == (401, "unauthenticated")


async def test_an_expired_access_token(client: httpx.AsyncClient, amina: Person, clock: MovableClock) -> None:
    clock.ahead = timedelta(minutes=-16)
    old = await log_in(client, amina.email)
    clock.ahead = timedelta(0)
    answer = await client.get("/v1/me", headers={"Authorization": f"Bearer {old['access_token']}"})
    assert problem(answer) == (401, "token_expired")


async def test_a_forged_forwarded_address_is_not_believed(
    service: Service, client: httpx.AsyncClient, amina: Person, owner: asyncpg.Connection
) -> None:
    await client.post(
        "/v1/auth/login",
        json={"email": amina.email, "password": PASSWORD},
        headers={"X-Forwarded-For": "192.0.2.1", "User-Agent": "Browser 1.0\t(test)"},
    )
    row = await owner.fetchrow("SELECT id, address, device FROM auth.sessions ORDER BY id DESC LIMIT 1")
    opened = open_session(dict(row), service.context.vault)
    assert opened["address"] == "203.0.113.7"
    assert opened["device"] == "Browser 1.0(test)"
    assert b"203.0.113.7" not in row["address"]


async def test_two_replicas_start_at_once_with_one_key_and_one_administrator(
    service: Service, database_url: str, owner: asyncpg.Connection
) -> None:
    import asyncio

    from services.auth.commands.prepare import ensure_admin
    from services.auth.commands.rotate_keys import rotate_keys_on_schedule

    await owner.execute("DELETE FROM auth.signing_keys")
    await owner.execute("DELETE FROM auth.users")
    await asyncio.gather(*(rotate_keys_on_schedule(service.context) for _ in range(6)))
    await asyncio.gather(*(ensure_admin(service.context) for _ in range(6)))
    assert await owner.fetchval("SELECT count(*) FROM auth.signing_keys") == 1
    assert await owner.fetchval("SELECT count(*) FROM auth.users") == 1
    sealed = await owner.fetchval("SELECT private_key FROM auth.signing_keys")
    assert b"PRIVATE KEY" not in sealed


def test_ids_are_uuids(amina: Person) -> None:
    assert UUID(str(amina.id)).version == 7
