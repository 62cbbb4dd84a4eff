"""Refresh tokens, logging out, and the list of sessions."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from tests.service.auth.conftest import MovableClock, Person, log_in, problem
from tests.service.auth.test_login import claims_of


async def refresh(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/v1/auth/refresh", json={"refresh_token": token})


async def rotated(client: httpx.AsyncClient, token: str) -> str:
    answer = await refresh(client, token)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["refresh_token"])


async def test_a_refresh_gives_new_tokens_of_the_same_session(client: httpx.AsyncClient, amina: Person) -> None:
    answer = await refresh(client, amina.tokens["refresh_token"])
    assert answer.status_code == 200
    assert answer.json()["refresh_token"] != amina.tokens["refresh_token"]
    assert answer.headers["cache-control"] == "no-store"
    old, new = claims_of(amina.tokens["access_token"]), claims_of(answer.json()["access_token"])
    assert new["sid"] == old["sid"]
    assert new["auth_time"] == old["auth_time"]
    assert new["jti"] != old["jti"]


async def test_tokens_are_stored_as_hashes(amina: Person, owner: asyncpg.Connection) -> None:
    stored = await owner.fetchval("SELECT string_agg(token_hash, ''::bytea) FROM auth.refresh_tokens")
    assert amina.tokens["refresh_token"].encode() not in stored


@pytest.mark.parametrize("token", ["x", "lrt_unknown", "lrt_" + "0" * 64])
async def test_unknown_refresh_tokens(client: httpx.AsyncClient, token: str) -> None:
    assert problem(await refresh(client, token)) == (401, "refresh_token_invalid")


@pytest.mark.parametrize("body", [{}, {"refresh_token": ""}, {"refresh_token": 7}, {"refresh_token": "x" * 300}])
async def test_bad_refresh_bodies(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert problem(await client.post("/v1/auth/refresh", json=body)) == (422, "validation_error")


async def test_a_session_does_not_live_for_ever(client: httpx.AsyncClient, amina: Person, clock: MovableClock) -> None:
    clock.ahead = timedelta(days=31)
    assert problem(await refresh(client, amina.tokens["refresh_token"])) == (401, "refresh_token_invalid")


async def test_an_access_token_ends_with_its_session(client: httpx.AsyncClient, amina: Person, clock: MovableClock) -> None:
    token = amina.tokens["refresh_token"]
    for days in (29, 58, 87):
        clock.ahead = timedelta(days=days)
        token = await rotated(client, token)
    clock.ahead = timedelta(days=89, hours=23, minutes=55)
    answer = await refresh(client, token)
    assert answer.json()["expires_in"] <= 300
    clock.ahead = timedelta(days=90, minutes=1)
    assert problem(await refresh(client, answer.json()["refresh_token"])) == (401, "refresh_token_invalid")


async def test_new_roles_are_in_the_next_token(client: httpx.AsyncClient, amina: Person, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE auth.users SET roles = ARRAY['support', 'user'] WHERE id = $1", amina.id)
    answer = await refresh(client, amina.tokens["refresh_token"])
    assert claims_of(answer.json()["access_token"])["roles"] == ["support", "user"]


async def test_logging_out_ends_the_session(client: httpx.AsyncClient, amina: Person) -> None:
    assert (await client.post("/v1/auth/logout", headers=amina.headers)).status_code == 204
    assert problem(await refresh(client, amina.tokens["refresh_token"])) == (401, "refresh_token_invalid")
    assert problem(await client.get("/v1/me", headers=amina.headers)) == (401, "session_ended")
    assert (await client.post("/v1/auth/logout", headers=amina.headers)).status_code == 204


async def test_logging_out_with_the_refresh_token_alone(client: httpx.AsyncClient, amina: Person) -> None:
    out = await client.post("/v1/auth/logout", json={"refresh_token": amina.tokens["refresh_token"]})
    assert out.status_code == 204
    assert problem(await refresh(client, amina.tokens["refresh_token"])) == (401, "refresh_token_invalid")
    assert problem(await client.get("/v1/me", headers=amina.headers)) == (401, "session_ended")
    unknown = await client.post("/v1/auth/logout", json={"refresh_token": "lrt_unknown"})
    assert unknown.status_code == 204
    assert problem(await client.post("/v1/auth/logout")) == (401, "unauthenticated")


async def test_the_list_of_sessions(client: httpx.AsyncClient, amina: Person, baraka: Person) -> None:
    for _ in range(2):
        await log_in(client, amina.email)
    page = (await client.get("/v1/auth/sessions", params={"limit": 2}, headers=amina.headers)).json()
    assert len(page["items"]) == 2
    rest = (await client.get("/v1/auth/sessions", params={"cursor": page["next_cursor"]}, headers=amina.headers)).json()
    assert rest["next_cursor"] is None
    sessions = page["items"] + rest["items"]
    assert [session["current"] for session in sessions] == [False, False, True]
    assert sessions[0]["address"] == "203.0.113.7"
    assert sessions[0]["id"] > sessions[1]["id"] > sessions[2]["id"]


async def test_ending_another_session(client: httpx.AsyncClient, amina: Person) -> None:
    other = await log_in(client, amina.email)
    session_id = claims_of(other["access_token"])["sid"]
    for _ in range(2):
        assert (await client.delete(f"/v1/auth/sessions/{session_id}", headers=amina.headers)).status_code == 204
    assert problem(await refresh(client, other["refresh_token"])) == (401, "refresh_token_invalid")
    await rotated(client, amina.tokens["refresh_token"])


async def test_somebody_elses_session_is_not_there(client: httpx.AsyncClient, amina: Person, baraka: Person) -> None:
    session_id = claims_of(baraka.tokens["access_token"])["sid"]
    theirs = await client.delete(f"/v1/auth/sessions/{session_id}", headers=amina.headers)
    none = await client.delete(f"/v1/auth/sessions/{uuid4()}", headers=amina.headers)
    assert problem(theirs) == problem(none) == (404, "session_not_found")
    assert theirs.json()["detail"] == none.json()["detail"]
    await rotated(client, baraka.tokens["refresh_token"])


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 201}, {"limit": "x"}, {"cursor": "forged"}, {"cursor": "e30"}])
async def test_bad_paging(client: httpx.AsyncClient, amina: Person, query: dict[str, Any]) -> None:
    answer = await client.get("/v1/auth/sessions", params=query, headers=amina.headers)
    assert problem(answer) == (422, "validation_error")
