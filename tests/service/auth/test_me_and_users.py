"""Profiles, and what operators may do with accounts."""

from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from tests.service.auth.conftest import Person, Sent, log_in, problem


async def test_my_account(client: httpx.AsyncClient, amina: Person) -> None:
    me = (await client.get("/v1/me", headers=amina.headers)).json()
    expected: dict[str, Any] = {
        "email": "amina@example.com",
        "roles": ["user"],
        "status": "active",
        "kyc_status": "unsubmitted",
        "phone": None,
    }
    assert {name: me[name] for name in expected} == expected
    assert me["id"] == str(amina.id)
    assert me["home_currency"] == "KES"
    assert not {"password", "password_hash"} & me.keys()


async def test_changing_my_profile(client: httpx.AsyncClient, amina: Person, sent: Sent) -> None:
    changes = {"full_name": "Amina W. Njeri", "phone": "+254700000001", "language": "sw", "time_zone": "Africa/Nairobi"}
    answer = await client.patch("/v1/me", json=changes, headers=amina.headers)
    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in changes} == changes
    (event,) = await sent("auth.user.updated")
    assert event["full_name"] == "Amina W. Njeri"
    assert event["language"] == "sw"
    removed = await client.patch("/v1/me", json={"phone": None}, headers=amina.headers)
    assert removed.json()["phone"] is None
    assert removed.json()["full_name"] == "Amina W. Njeri"
    await client.patch("/v1/me", json={"phone": None}, headers=amina.headers)
    assert len(await sent("auth.user.updated")) == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"full_name": ""},
        {"full_name": None},
        {"phone": "12"},
        {"language": "English"},
        {"language": None},
        {"time_zone": "Mars/Base"},
        {"time_zone": "../../etc/passwd"},
        {"email": "other@example.com"},
        {"roles": ["admin"]},
        {"status": "active"},
        {"id": "x"},
        [],
    ],
)
async def test_bad_profiles(client: httpx.AsyncClient, amina: Person, sent: Sent, body: Any) -> None:
    assert problem(await client.patch("/v1/me", json=body, headers=amina.headers)) == (422, "validation_error")
    assert not await sent("auth.user.updated")


ADMIN_CALLS = [
    ("GET", "/v1/admin/users"),
    ("GET", "/v1/admin/users/{id}"),
    ("PATCH", "/v1/admin/users/{id}"),
    ("GET", "/v1/admin/kyc"),
    ("GET", "/v1/admin/kyc/{id}"),
    ("GET", "/v1/admin/kyc/{id}/documents/{id}"),
    ("POST", "/v1/admin/kyc/{id}/approve"),
    ("POST", "/v1/admin/kyc/{id}/reject"),
    ("GET", "/v1/admin/audit-log"),
]


@pytest.mark.parametrize(("method", "path"), ADMIN_CALLS)
async def test_operators_only(client: httpx.AsyncClient, amina: Person, baraka: Person, method: str, path: str) -> None:
    url = path.format(id=baraka.id)
    body = {"status": "suspended"} if method == "PATCH" else {"reason": "because"} if path.endswith("reject") else None
    assert problem(await client.request(method, url, json=body, headers=amina.headers)) == (403, "forbidden")
    assert problem(await client.request(method, url, json=body)) == (401, "unauthenticated")
    await log_in(client, baraka.email)


async def test_support_reads_but_does_not_change(
    client: httpx.AsyncClient, amina: Person, baraka: Person, owner: asyncpg.Connection
) -> None:
    await owner.execute("UPDATE auth.users SET roles = ARRAY['support', 'user'] WHERE id = $1", amina.id)
    assert (await client.get("/v1/admin/users", headers=amina.headers)).status_code == 200
    assert (await client.get(f"/v1/admin/users/{baraka.id}", headers=amina.headers)).status_code == 200
    assert (await client.get("/v1/admin/kyc", headers=amina.headers)).status_code == 200
    change = await client.patch(f"/v1/admin/users/{baraka.id}", json={"roles": ["admin"]}, headers=amina.headers)
    assert problem(change) == (403, "forbidden")
    assert problem(await client.get("/v1/admin/audit-log", headers=amina.headers)) == (403, "forbidden")


async def test_the_list_of_accounts(client: httpx.AsyncClient, admin: Person, amina: Person, baraka: Person) -> None:
    page = (await client.get("/v1/admin/users", params={"limit": 2}, headers=admin.headers)).json()
    assert [user["email"] for user in page["items"]] == [baraka.email, amina.email]
    rest = (await client.get("/v1/admin/users", params={"cursor": page["next_cursor"]}, headers=admin.headers)).json()
    assert [user["email"] for user in rest["items"]] == [admin.email]
    assert rest["next_cursor"] is None
    for query, expected in (
        ({"email": "AMINA@example.com"}, [amina.email]),
        ({"role": "admin"}, [admin.email]),
        ({"status": "suspended"}, []),
    ):
        found = (await client.get("/v1/admin/users", params=query, headers=admin.headers)).json()
        assert [user["email"] for user in found["items"]] == expected
    wrong = await client.get("/v1/admin/users", params={"role": "king"}, headers=admin.headers)
    assert problem(wrong) == (422, "validation_error")


async def test_giving_a_role(client: httpx.AsyncClient, admin: Person, amina: Person, sent: Sent) -> None:
    answer = await client.patch(f"/v1/admin/users/{amina.id}", json={"roles": ["user", "partner", "user"]}, headers=admin.headers)
    assert answer.status_code == 200
    assert answer.json()["roles"] == ["partner", "user"]
    (event,) = await sent("auth.user.updated")
    assert event["roles"] == ["partner", "user"]
    entries = (await client.get("/v1/admin/audit-log", params={"action": "user.changed"}, headers=admin.headers)).json()
    (entry,) = entries["items"]
    assert (entry["actor_id"], entry["subject_id"]) == (str(admin.id), str(amina.id))
    assert (entry["before"]["roles"], entry["after"]["roles"]) == (["user"], ["partner", "user"])
    assert entry["address"] == "203.0.113.7"
    again = await client.patch(f"/v1/admin/users/{amina.id}", json={"roles": ["partner", "user"]}, headers=admin.headers)
    assert again.status_code == 200
    assert len(await sent("auth.user.updated")) == 1


async def test_suspending_ends_every_session_and_can_be_undone(client: httpx.AsyncClient, admin: Person, amina: Person) -> None:
    url = f"/v1/admin/users/{amina.id}"
    assert (await client.patch(url, json={"status": "suspended"}, headers=admin.headers)).json()["status"] == "suspended"
    assert problem(await client.get("/v1/me", headers=amina.headers)) == (401, "session_ended")
    refused = await client.post("/v1/auth/refresh", json={"refresh_token": amina.tokens["refresh_token"]})
    assert problem(refused) == (401, "refresh_token_invalid")
    assert (await client.patch(url, json={"status": "active"}, headers=admin.headers)).status_code == 200
    await log_in(client, amina.email)


async def test_a_closed_account_stays_closed(client: httpx.AsyncClient, admin: Person, amina: Person) -> None:
    url = f"/v1/admin/users/{amina.id}"
    assert (await client.patch(url, json={"status": "closed"}, headers=admin.headers)).status_code == 200
    assert problem(await client.patch(url, json={"status": "active"}, headers=admin.headers)) == (409, "account_closed")


async def test_an_administrator_cannot_lock_themselves_out(client: httpx.AsyncClient, admin: Person, sent: Sent) -> None:
    for body in ({"roles": ["user"]}, {"status": "suspended"}):
        refused = await client.patch(f"/v1/admin/users/{admin.id}", json=body, headers=admin.headers)
        assert problem(refused) == (409, "own_account")
    assert not await sent("auth.user.updated")


async def test_a_role_that_was_taken_is_gone_at_once(
    client: httpx.AsyncClient, admin: Person, amina: Person, owner: asyncpg.Connection
) -> None:
    await owner.execute("UPDATE auth.users SET roles = ARRAY['user'] WHERE id = $1", admin.id)
    assert problem(await client.get("/v1/admin/users", headers=admin.headers)) == (403, "forbidden")


@pytest.mark.parametrize(
    "body",
    [{}, {"roles": []}, {"roles": ["king"]}, {"roles": "admin"}, {"status": "dead"}, {"email": "x@example.com"}, {"roles": None}],
)
async def test_bad_changes(client: httpx.AsyncClient, admin: Person, amina: Person, body: dict[str, Any]) -> None:
    answer = await client.patch(f"/v1/admin/users/{amina.id}", json=body, headers=admin.headers)
    assert problem(answer) == (422, "validation_error")


async def test_accounts_that_are_not_there(client: httpx.AsyncClient, admin: Person) -> None:
    assert problem(await client.get(f"/v1/admin/users/{uuid4()}", headers=admin.headers)) == (404, "user_not_found")
    gone = await client.patch(f"/v1/admin/users/{uuid4()}", json={"status": "active"}, headers=admin.headers)
    assert problem(gone) == (404, "user_not_found")
    assert problem(await client.get("/v1/admin/users/not-an-id", headers=admin.headers)) == (422, "validation_error")


@pytest.mark.parametrize(
    "statement", ["UPDATE auth.audit_log SET action = 'x'", "DELETE FROM auth.audit_log", "TRUNCATE auth.audit_log"]
)
async def test_the_audit_log_cannot_be_changed(amina: Person, owner: asyncpg.Connection, statement: str) -> None:
    before = await owner.fetchval("SELECT count(*) FROM auth.audit_log")
    assert before > 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await owner.execute(statement)
    assert await owner.fetchval("SELECT count(*) FROM auth.audit_log") == before


async def test_the_audit_log_pages_and_filters(client: httpx.AsyncClient, admin: Person, amina: Person) -> None:
    params: dict[str, Any] = {"actor_id": str(amina.id), "limit": 1}
    first = (await client.get("/v1/admin/audit-log", params=params, headers=admin.headers)).json()
    assert [entry["action"] for entry in first["items"]] == ["session.opened"]
    params["cursor"] = first["next_cursor"]
    second = (await client.get("/v1/admin/audit-log", params=params, headers=admin.headers)).json()
    assert [entry["action"] for entry in second["items"]] == ["user.registered"]
    assert second["next_cursor"] is None
    assert second["items"][0]["request_id"]
