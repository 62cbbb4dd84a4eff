"""Attacks on refresh tokens: reused, in parallel, after a lost answer, and carried in another way than they were given."""

from datetime import timedelta

import asyncpg
import httpx
import pytest

from tests.service.auth.conftest import PASSWORD, MovableClock, Person, Sent, at_once, log_in, problem
from tests.service.auth.test_login import claims_of
from tests.service.auth.test_sessions import refresh, rotated


async def test_reuse_ends_the_session_and_its_family(client: httpx.AsyncClient, amina: Person, sent: Sent) -> None:
    first = amina.tokens["refresh_token"]
    second = await rotated(client, first)
    third = await rotated(client, second)
    assert problem(await refresh(client, first)) == (401, "refresh_token_reused")
    assert problem(await refresh(client, third)) == (401, "refresh_token_invalid")
    (event,) = await sent("auth.session.reuse_detected")
    assert event == {"user_id": str(amina.id), "session_id": claims_of(amina.tokens["access_token"])["sid"]}
    assert problem(await client.get("/v1/me", headers=amina.headers)) == (401, "session_ended")


async def test_reuse_in_one_session_leaves_the_others_alone(client: httpx.AsyncClient, amina: Person) -> None:
    other = await log_in(client, amina.email)
    second = await rotated(client, amina.tokens["refresh_token"])
    await rotated(client, second)
    assert (await refresh(client, amina.tokens["refresh_token"])).status_code == 401
    await rotated(client, other["refresh_token"])


async def test_reuse_after_a_lost_answer_is_no_attack(client: httpx.AsyncClient, amina: Person, sent: Sent) -> None:
    lost = await rotated(client, amina.tokens["refresh_token"])
    again = await rotated(client, amina.tokens["refresh_token"])
    assert again == lost
    await rotated(client, again)
    assert not await sent("auth.session.reuse_detected")


async def test_reuse_after_the_grace(client: httpx.AsyncClient, amina: Person, clock: MovableClock) -> None:
    successor = await rotated(client, amina.tokens["refresh_token"])
    clock.ahead = timedelta(seconds=11)
    assert problem(await refresh(client, amina.tokens["refresh_token"])) == (401, "refresh_token_reused")
    assert problem(await refresh(client, successor)) == (401, "refresh_token_invalid")


async def test_reuse_in_parallel_leaves_one_chain(
    client: httpx.AsyncClient, amina: Person, owner: asyncpg.Connection, sent: Sent
) -> None:
    answers = await at_once(*(refresh(client, amina.tokens["refresh_token"]) for _ in range(12)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    assert await owner.fetchval("SELECT count(*) FROM auth.refresh_tokens WHERE used_at IS NULL") == 1
    assert not await sent("auth.session.reuse_detected")


@pytest.mark.parametrize("settings_changes", [{"auth_refresh_grace_seconds": 0}])
async def test_reuse_in_parallel_without_a_grace(
    client: httpx.AsyncClient, amina: Person, owner: asyncpg.Connection, sent: Sent
) -> None:
    answers = await at_once(*(refresh(client, amina.tokens["refresh_token"]) for _ in range(8)))
    assert sorted({answer.status_code for answer in answers}) == [200, 401]
    assert len([answer for answer in answers if answer.status_code == 200]) == 1
    assert len(await sent("auth.session.reuse_detected")) == 1
    assert await owner.fetchval("SELECT count(*) FROM auth.sessions WHERE user_id = $1 AND ended_at IS NULL", amina.id) == 0


async def test_reuse_of_the_parent_once_the_child_was_used(client: httpx.AsyncClient, amina: Person) -> None:
    """Within the grace, too: whoever has the child has shown that the answer was not lost."""
    child = await rotated(client, amina.tokens["refresh_token"])
    await rotated(client, child)
    assert problem(await refresh(client, amina.tokens["refresh_token"])) == (401, "refresh_token_reused")


async def test_a_thief_and_the_owner_in_parallel(client: httpx.AsyncClient, amina: Person, owner: asyncpg.Connection) -> None:
    """However parent and child are mixed, there is never more than one chain, and none once reuse was seen."""
    child = await rotated(client, amina.tokens["refresh_token"])
    answers = await at_once(*(refresh(client, token) for token in [child, amina.tokens["refresh_token"]] * 5))
    alive = await owner.fetchval("SELECT count(*) FROM auth.sessions WHERE user_id = $1 AND ended_at IS NULL", amina.id)
    unused = await owner.fetchval("SELECT count(*) FROM auth.refresh_tokens WHERE used_at IS NULL")
    assert unused == 1
    if any(answer.json().get("code") == "refresh_token_reused" for answer in answers):
        assert alive == 0
    given = {answer.json()["refresh_token"] for answer in answers if answer.status_code == 200}
    assert len(given) <= 2, "the child, and the child's child"


async def test_a_suspended_person_renews_nothing(client: httpx.AsyncClient, amina: Person, admin: Person) -> None:
    suspended = await client.patch(f"/v1/admin/users/{amina.id}", json={"status": "suspended"}, headers=admin.headers)
    assert suspended.status_code == 200, suspended.text
    assert (await refresh(client, amina.tokens["refresh_token"])).status_code == 401
    assert problem(await client.get("/v1/me", headers=amina.headers)) == (401, "session_ended")


COOKIE = {"X-Session-Mode": "cookie"}


async def test_a_refresh_token_of_a_cookie_is_good_for_nothing_else(client: httpx.AsyncClient, amina: Person) -> None:
    """Read from a browser's disk, say: it cannot be made into bearer tokens, and a bearer's not into cookies."""
    answer = await client.post("/v1/auth/login", json={"email": amina.email, "password": PASSWORD}, headers=COOKIE)
    stolen, csrf = client.cookies["lendery_refresh"], {"X-CSRF-Token": answer.json()["csrf_token"]}
    client.cookies.clear()
    assert problem(await refresh(client, stolen)) == (401, "refresh_token_invalid")
    swapped = {"Cookie": f"lendery_refresh={amina.tokens['refresh_token']}"}
    assert problem(await client.post("/v1/auth/refresh", headers=swapped | csrf)) == (401, "refresh_token_invalid")
    good = await client.post("/v1/auth/refresh", headers={"Cookie": f"lendery_refresh={stolen}"} | csrf)
    assert good.status_code == 200, "nothing of that has ended the session"
    await rotated(client, amina.tokens["refresh_token"])
