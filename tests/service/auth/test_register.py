"""Opening an account."""

import asyncpg
import httpx
import pytest

from tests.service.auth.conftest import PASSWORD, Sent, log_in, problem, register

NEW = {"email": "Amina@Example.COM", "password": PASSWORD, "full_name": "  Amina Wanjiru ", "phone": "+254 712-345 678"}


async def test_a_new_account_is_told_about_and_gets_a_link(client: httpx.AsyncClient, sent: Sent) -> None:
    answer = await client.post("/v1/auth/register", json=NEW)
    assert answer.status_code == 201
    account = answer.json()
    assert {name: account[name] for name in ("email", "full_name", "phone", "email_verified")} == {
        "email": "amina@example.com",
        "full_name": "Amina Wanjiru",
        "phone": "+254712345678",
        "email_verified": False,
    }
    registered = (await sent("auth.user.registered"))[-1]
    assert registered["user_id"] == account["id"]
    assert registered["roles"] == ["user"]
    assert registered["home_currency"] == "KES"
    assert registered["email_verified"] is False
    (mail,) = await sent("notifications.email.send")
    assert (mail["template"], mail["to"]) == ("verify_email", "amina@example.com")
    assert mail["data"]["link"].startswith("http://localhost:8000/v1/auth/pages/verify-email?token=")
    assert mail["data"]["full_name"] == "Amina Wanjiru"


async def test_a_taken_address_looks_like_a_free_one_and_its_owner_is_told(
    client: httpx.AsyncClient, sent: Sent, owner: asyncpg.Connection
) -> None:
    first = await client.post("/v1/auth/register", json=NEW)
    second = await client.post("/v1/auth/register", json=NEW | {"password": "quite another one", "full_name": "Mallory"})
    assert second.status_code == first.status_code == 201
    assert second.json().keys() == first.json().keys()
    assert second.json()["id"] != first.json()["id"]
    assert second.json()["full_name"] == "Mallory"
    assert set(second.headers) == set(first.headers)
    mails = await sent("notifications.email.send")
    assert [mail["template"] for mail in mails] == ["verify_email", "registration_repeated"]
    assert mails[1]["data"]["full_name"] == "Amina Wanjiru"
    assert len([event for event in await sent("auth.user.registered") if event["email"] == "amina@example.com"]) == 1
    assert await owner.fetchval("SELECT count(*) FROM auth.users WHERE 'admin' <> ALL (roles)") == 1
    await log_in(client, "amina@example.com")
    refused = await client.post("/v1/auth/login", json={"email": "amina@example.com", "password": "quite another one"})
    assert problem(refused) == (401, "invalid_credentials")


async def test_a_stranger_cannot_fill_a_mailbox(client: httpx.AsyncClient, sent: Sent) -> None:
    for _ in range(12):
        assert (await client.post("/v1/auth/register", json=NEW)).status_code == 201
    assert len(await sent("notifications.email.send")) <= 5


async def test_registering_twice_at_once_makes_one_account(client: httpx.AsyncClient, owner: asyncpg.Connection) -> None:
    from tests.service.auth.conftest import at_once

    answers = await at_once(*(client.post("/v1/auth/register", json=NEW) for _ in range(8)))
    assert [answer.status_code for answer in answers] == [201] * 8
    assert len({answer.json()["id"] for answer in answers}) == 8
    assert await owner.fetchval("SELECT count(*) FROM auth.users WHERE 'admin' <> ALL (roles)") == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "no-address"}, "email"),
        ({"email": "amina@localhost"}, "email"),
        ({"email": "a" * 250 + "@example.com"}, "email"),
        ({"email": 7}, "email"),
        ({"email": "am\x00ina@example.com"}, "body"),
        ({"password": "short"}, "password"),
        ({"password": "password123"}, "password"),
        ({"password": "PASSWORD123"}, "password"),
        ({"password": "aaaaaaaaaaaa"}, "password"),
        ({"password": "Amina Wanjiru"}, "password"),
        ({"password": "amina@example.com"}, "password"),
        ({"password": "x" * 257}, "password"),
        ({"password": "y" * 5000}, "password"),
        ({"password": "nul \x00 in the middle"}, "body"),
        ({"password": None}, "password"),
        ({"full_name": ""}, "full_name"),
        ({"full_name": "   "}, "full_name"),
        ({"full_name": "two\nlines"}, "full_name"),
        ({"full_name": "x" * 201}, "full_name"),
        ({"full_name": "broken \ud800"}, "body"),
        ({"phone": "0712345678"}, "phone"),
        ({"phone": ""}, "phone"),
        ({"roles": ["admin"]}, "roles"),
        ({"status": "active"}, "status"),
    ],
)
async def test_bad_fields_are_named(client: httpx.AsyncClient, sent: Sent, changes: dict[str, object], field: str) -> None:
    import json

    answer = await client.post(
        "/v1/auth/register", content=json.dumps(NEW | changes), headers={"Content-Type": "application/json"}
    )
    assert problem(answer) == (422, "validation_error")
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not [event for event in await sent("auth.user.registered") if event["email"] != "admin@lendery.test"]
    assert not await sent("notifications.email.send")


async def test_a_refused_password_is_not_repeated_in_the_answer(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/auth/register", json=NEW | {"password": "sh0rt-one"})
    assert answer.status_code == 422
    assert "sh0rt-one" not in answer.text


@pytest.mark.parametrize("body", [b"", b"{", b'{"email":', b"\xff\xfe", b"[" * 20_000])
async def test_unreadable_bodies(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/v1/auth/register", content=body, headers={"Content-Type": "application/json"})
    assert problem(answer) in {(400, "malformed_body"), (422, "validation_error")}


@pytest.mark.parametrize("body", ["[]", '"text"', "7", "null", "{}"])
async def test_bodies_of_another_kind(client: httpx.AsyncClient, body: str) -> None:
    answer = await client.post("/v1/auth/register", content=body, headers={"Content-Type": "application/json"})
    assert problem(answer) == (422, "validation_error")


async def test_passwords_are_the_same_in_every_unicode_form(client: httpx.AsyncClient) -> None:
    await register(client, "zoe@example.com", password="caf\u00e9 au lait, s'il te pla\u00eet")
    await log_in(client, "zoe@example.com", "cafe\u0301 au lait, s'il te plai\u0302t")


async def test_the_bootstrapped_administrator(client: httpx.AsyncClient, sent: Sent) -> None:
    tokens = await log_in(client, "admin@lendery.test", "admin-local-only")
    me = (await client.get("/v1/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})).json()
    assert me["roles"] == ["admin", "user"]
    assert me["email_verified"] is True
    assert [event["email"] for event in await sent("auth.user.registered")] == ["admin@lendery.test"]
    assert not await sent("notifications.email.send")
