"""Roles of operators are given by two administrators together."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from services.auth.commands.decide_role_grant import expire_role_grants
from services.auth.commands.grant_roles_on_host import grant_roles_on_host
from services.auth.domain.problems import AccountClosed, UserNotFound
from shared.service import Service
from tests.service.auth.conftest import MovableClock, Person, Sent, at_once, problem, register

GRANTS = "/v1/admin/role-grants"


@pytest.fixture
async def second(client: httpx.AsyncClient, service: Service) -> Person:
    """Another administrator, made on the host as the first one's installation has it."""
    person = await register(client, "second@lendery.test", full_name="Second Administrator")
    await grant_roles_on_host(service.context, person.email, ("admin",), "the first day")
    return person


async def ask(client: httpx.AsyncClient, admin: Person, person: Person, *roles: str) -> dict[str, Any]:
    answer = await client.patch(f"/v1/admin/users/{person.id}", json={"roles": list(roles)}, headers=admin.headers)
    assert answer.status_code == 200, answer.text
    user: dict[str, Any] = answer.json()
    return user


async def decide(client: httpx.AsyncClient, admin: Person, grant: dict[str, Any], what: str = "approve") -> httpx.Response:
    return await client.post(f"{GRANTS}/{grant['id']}/{what}", headers=admin.headers)


async def test_a_role_of_operators_waits_for_a_second_administrator(
    client: httpx.AsyncClient, admin: Person, second: Person, amina: Person, sent: Sent
) -> None:
    user = await ask(client, admin, amina, "user", "support")
    assert user["roles"] == ["user"]
    grant = user["role_grant"]
    assert (grant["status"], grant["roles"], grant["requested_by"]) == ("awaiting_approval", ["support"], str(admin.id))
    assert problem(await client.get("/v1/admin/users", headers=amina.headers)) == (403, "forbidden")
    shown = (await client.get(f"/v1/admin/users/{amina.id}", headers=admin.headers)).json()
    assert shown["role_grant"] == grant
    approved = await decide(client, second, grant)
    assert approved.status_code == 200
    assert (approved.json()["status"], approved.json()["decided_by"]) == ("approved", str(second.id))
    assert (await client.get("/v1/admin/users", headers=amina.headers)).status_code == 200
    after = (await client.get(f"/v1/admin/users/{amina.id}", headers=admin.headers)).json()
    assert (after["roles"], after["role_grant"]) == (["support", "user"], None)
    assert [event["roles"] for event in await sent("auth.user.updated") if event["user_id"] == str(amina.id)] == [
        ["support", "user"]
    ]
    assert (await decide(client, second, grant)).status_code == 200
    actions = (await client.get("/v1/admin/audit-log", params={"subject_id": grant["id"]}, headers=admin.headers)).json()
    assert [entry["action"] for entry in actions["items"]] == ["role_grant.approved", "role_grant.requested"]


async def test_neither_who_asked_nor_who_gets_it_can_approve(
    client: httpx.AsyncClient, admin: Person, second: Person, amina: Person, owner: asyncpg.Connection
) -> None:
    grant = (await ask(client, admin, amina, "user", "admin"))["role_grant"]
    assert problem(await decide(client, admin, grant)) == (403, "second_person_required")
    await owner.execute("UPDATE auth.users SET roles = ARRAY['admin', 'user'] WHERE id = $1", amina.id)
    assert problem(await decide(client, amina, grant)) == (403, "second_person_required")
    assert await owner.fetchval("SELECT status FROM auth.role_grants") == "awaiting_approval"


async def test_the_database_refuses_one_person_too(
    client: httpx.AsyncClient, admin: Person, amina: Person, owner: asyncpg.Connection
) -> None:
    await ask(client, admin, amina, "user", "admin")
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute("UPDATE auth.role_grants SET status = 'approved', decided_at = now(), decided_by = requested_by")


async def test_who_is_no_administrator_decides_nothing(
    client: httpx.AsyncClient, admin: Person, amina: Person, baraka: Person
) -> None:
    grant = (await ask(client, admin, amina, "user", "admin"))["role_grant"]
    assert problem(await client.get(GRANTS, headers=baraka.headers)) == (403, "forbidden")
    for what in ("approve", "decline"):
        assert problem(await decide(client, baraka, grant, what)) == (403, "forbidden")


async def test_declining_and_taking_back(client: httpx.AsyncClient, admin: Person, second: Person, amina: Person) -> None:
    grant = (await ask(client, admin, amina, "user", "admin"))["role_grant"]
    declined = await client.post(f"{GRANTS}/{grant['id']}/decline", json={"reason": "Not needed"}, headers=second.headers)
    assert (declined.json()["status"], declined.json()["reason"]) == ("declined", "Not needed")
    assert problem(await decide(client, second, grant)) == (409, "role_grant_decided")
    again = (await ask(client, admin, amina, "user", "admin"))["role_grant"]
    assert again["id"] != grant["id"]
    assert (await decide(client, admin, again, "decline")).json()["status"] == "declined"
    listed = (await client.get(GRANTS, params={"status": "awaiting_approval"}, headers=admin.headers)).json()
    assert listed["items"] == []


async def test_asking_again_is_the_same_request_and_asking_otherwise_replaces_it(
    client: httpx.AsyncClient, admin: Person, second: Person, amina: Person
) -> None:
    first = (await ask(client, admin, amina, "user", "support"))["role_grant"]
    assert (await ask(client, admin, amina, "user", "support"))["role_grant"] == first
    other = (await ask(client, admin, amina, "user", "admin"))["role_grant"]
    assert other["roles"] == ["admin"]
    assert problem(await decide(client, second, first)) == (409, "role_grant_decided")
    assert (await ask(client, admin, amina, "user"))["role_grant"] is None
    assert problem(await decide(client, second, other)) == (409, "role_grant_decided")


async def test_a_request_expires(
    client: httpx.AsyncClient, service: Service, admin: Person, second: Person, amina: Person, clock: MovableClock
) -> None:
    grant = (await ask(client, admin, amina, "user", "admin"))["role_grant"]
    clock.ahead = timedelta(hours=73)
    assert problem(await decide(client, second, grant)) == (409, "role_grant_decided")
    assert (await client.get(f"/v1/admin/users/{amina.id}", headers=admin.headers)).json()["role_grant"] is None
    await expire_role_grants(service.context)
    (listed,) = (await client.get(GRANTS, params={"status": "expired"}, headers=admin.headers)).json()["items"]
    assert listed["id"] == grant["id"]
    assert (await ask(client, admin, amina, "user", "admin"))["role_grant"]["id"] != grant["id"]


async def test_a_request_is_void_when_the_account_or_its_author_is_not_what_it_was(
    client: httpx.AsyncClient, admin: Person, second: Person, amina: Person, baraka: Person, owner: asyncpg.Connection
) -> None:
    suspended = (await ask(client, admin, amina, "user", "admin"))["role_grant"]
    await client.patch(f"/v1/admin/users/{amina.id}", json={"status": "suspended"}, headers=admin.headers)
    assert problem(await decide(client, second, suspended)) == (409, "role_grant_decided")
    orphan = (await ask(client, admin, baraka, "user", "admin"))["role_grant"]
    await owner.execute("UPDATE auth.users SET roles = ARRAY['user'] WHERE id = $1", admin.id)
    assert problem(await decide(client, second, orphan)) == (409, "role_grant_decided")


async def test_taking_a_role_is_immediate_and_ends_sessions(
    client: httpx.AsyncClient, admin: Person, second: Person, sent: Sent
) -> None:
    user = await ask(client, admin, second, "user")
    assert (user["roles"], user["role_grant"]) == (["user"], None)
    assert problem(await client.get("/v1/me", headers=second.headers)) == (401, "session_ended")
    assert [event["reason"] for event in await sent("auth.session.ended")] == ["role_taken"]


async def test_two_administrators_cannot_remove_each_other_at_the_same_moment(
    client: httpx.AsyncClient, admin: Person, second: Person, owner: asyncpg.Connection
) -> None:
    answers = await at_once(
        client.patch(f"/v1/admin/users/{second.id}", json={"roles": ["user"]}, headers=admin.headers),
        client.patch(f"/v1/admin/users/{admin.id}", json={"status": "suspended"}, headers=second.headers),
    )
    assert [answer.status_code for answer in answers].count(200) == 1
    left = "SELECT count(*) FROM auth.users WHERE 'admin' = ANY (roles) AND status = 'active'"
    assert await owner.fetchval(left) == 1


async def test_the_second_administrator_is_made_on_the_host(
    client: httpx.AsyncClient, service: Service, admin: Person, amina: Person, owner: asyncpg.Connection
) -> None:
    for _ in range(2):
        user = await grant_roles_on_host(service.context, amina.email, ("admin",), "the first day")
        assert user.roles == ("admin", "user")
    entry = await owner.fetchrow("SELECT * FROM auth.audit_log WHERE action = 'user.roles_granted_on_host'")
    assert (entry["actor_kind"], entry["subject_id"]) == ("system", str(amina.id))
    with pytest.raises(UserNotFound):
        await grant_roles_on_host(service.context, "nobody@example.com", ("admin",), "x")
    await owner.execute("UPDATE auth.users SET status = 'suspended' WHERE id = $1", amina.id)
    with pytest.raises(AccountClosed):
        await grant_roles_on_host(service.context, amina.email, ("support",), "x")


async def test_requests_that_are_not_there(client: httpx.AsyncClient, admin: Person) -> None:
    for what in ("approve", "decline"):
        assert problem(await decide(client, admin, {"id": uuid4()}, what)) == (404, "role_grant_not_found")
