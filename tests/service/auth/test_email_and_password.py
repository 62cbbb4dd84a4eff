"""Confirming an address; changing, forgetting and resetting a password."""

from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from tests.service.auth.conftest import PASSWORD, MovableClock, Person, Sent, at_once, log_in, problem, token_in
from tests.service.auth.test_login import claims_of

NEW_PASSWORD = "another fine secret"


async def mails(sent: Sent, template: str) -> list[dict[str, Any]]:
    return [mail for mail in await sent("notifications.email.send") if mail["template"] == template]


async def test_the_link_confirms_the_address_once(client: httpx.AsyncClient, amina: Person, sent: Sent) -> None:
    token = token_in((await mails(sent, "verify_email"))[0])
    answers = await at_once(*(client.post("/v1/auth/email/verify", json={"token": token}) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422, 422]
    good = next(answer for answer in answers if answer.status_code == 200)
    assert good.json() == {"email": amina.email, "email_verified": True}
    assert await sent("auth.user.email_verified") == [{"user_id": str(amina.id), "email": amina.email}]
    used = await client.post("/v1/auth/email/verify", json={"token": token})
    assert problem(used) == (422, "link_invalid")
    assert (await client.get("/v1/me", headers=amina.headers)).json()["email_verified"] is True
    assert claims_of((await log_in(client, amina.email))["access_token"])["email_verified"] is True


async def test_the_secret_is_stored_as_a_hash(amina: Person, sent: Sent, owner: asyncpg.Connection) -> None:
    token = token_in((await mails(sent, "verify_email"))[0])
    row = await owner.fetchrow("SELECT * FROM auth.mailed_links")
    assert token not in str(dict(row))


async def test_a_link_gets_old(client: httpx.AsyncClient, amina: Person, sent: Sent, clock: MovableClock) -> None:
    token = token_in((await mails(sent, "verify_email"))[0])
    clock.ahead = timedelta(hours=49)
    assert problem(await client.post("/v1/auth/email/verify", json={"token": token})) == (422, "link_invalid")
    assert not await sent("auth.user.email_verified")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"token": "made up"}, (422, "link_invalid")),
        ({"token": ""}, (422, "validation_error")),
        ({}, (422, "validation_error")),
        ({"token": ["x"]}, (422, "validation_error")),
    ],
)
async def test_bad_links(client: httpx.AsyncClient, body: dict[str, Any], expected: tuple[int, str]) -> None:
    assert problem(await client.post("/v1/auth/email/verify", json=body)) == expected


async def test_another_link_replaces_the_first(client: httpx.AsyncClient, amina: Person, sent: Sent) -> None:
    assert (await client.post("/v1/auth/email/resend", headers=amina.headers)).status_code == 202
    first, second = [token_in(mail) for mail in await mails(sent, "verify_email")]
    assert problem(await client.post("/v1/auth/email/verify", json={"token": first})) == (422, "link_invalid")
    assert (await client.post("/v1/auth/email/verify", json={"token": second})).status_code == 200
    assert (await client.post("/v1/auth/email/resend", headers=amina.headers)).status_code == 202
    assert len(await mails(sent, "verify_email")) == 2
    assert problem(await client.post("/v1/auth/email/resend")) == (401, "unauthenticated")


async def test_a_link_for_one_purpose_is_no_good_for_another(client: httpx.AsyncClient, amina: Person, sent: Sent) -> None:
    token = token_in((await mails(sent, "verify_email"))[0])
    body = {"token": token, "new_password": NEW_PASSWORD}
    assert problem(await client.post("/v1/auth/password/reset", json=body)) == (422, "link_invalid")
    await log_in(client, amina.email)


@pytest.mark.parametrize("settings_changes", [{"auto_verify": True}])
async def test_auto_verify_treats_addresses_as_verified(client: httpx.AsyncClient, amina: Person, sent: Sent) -> None:
    assert (await client.get("/v1/me", headers=amina.headers)).json()["email_verified"] is True
    assert claims_of(amina.tokens["access_token"])["email_verified"] is True
    assert (await sent("auth.user.registered"))[-1]["email_verified"] is True
    assert not await sent("notifications.email.send")


async def test_a_forgotten_password_is_reset_by_link(
    client: httpx.AsyncClient, amina: Person, sent: Sent, owner: asyncpg.Connection
) -> None:
    known = await client.post("/v1/auth/password/forgot", json={"email": "Amina@example.com"}, headers={"Host": "evil.example"})
    unknown = await client.post("/v1/auth/password/forgot", json={"email": "nobody@example.com"})
    assert known.status_code == unknown.status_code == 202
    assert known.json() == unknown.json()
    (mail,) = await mails(sent, "password_reset")
    assert mail["to"] == amina.email
    assert mail["data"]["link"].startswith("http://localhost:8000/v1/auth/pages/reset-password?token=")
    token = token_in(mail)

    weak = await client.post("/v1/auth/password/reset", json={"token": token, "new_password": "short"})
    assert problem(weak) == (422, "validation_error")
    answers = await at_once(
        *(client.post("/v1/auth/password/reset", json={"token": token, "new_password": NEW_PASSWORD}) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [204, 422, 422, 422]

    old = await client.post("/v1/auth/login", json={"email": amina.email, "password": PASSWORD})
    assert problem(old) == (401, "invalid_credentials")
    refused = await client.post("/v1/auth/refresh", json={"refresh_token": amina.tokens["refresh_token"]})
    assert problem(refused) == (401, "refresh_token_invalid")
    await log_in(client, amina.email, NEW_PASSWORD)
    assert await sent("auth.user.password_changed") == [{"user_id": str(amina.id), "email": amina.email}]
    assert len(await mails(sent, "password_changed")) == 1
    assert len(await sent("auth.user.email_verified")) == 1
    assert await owner.fetchval("SELECT email_verified_at IS NOT NULL FROM auth.users WHERE id = $1", amina.id)


async def test_a_reset_opens_an_account_that_guessing_has_blocked(client: httpx.AsyncClient, amina: Person, sent: Sent) -> None:
    for _ in range(6):
        await client.post("/v1/auth/login", json={"email": amina.email, "password": "guess"})
    await client.post("/v1/auth/password/forgot", json={"email": amina.email})
    body = {"token": token_in((await mails(sent, "password_reset"))[0]), "new_password": NEW_PASSWORD}
    assert (await client.post("/v1/auth/password/reset", json=body)).status_code == 204
    await log_in(client, amina.email, NEW_PASSWORD)


async def test_a_reset_link_gets_old(client: httpx.AsyncClient, amina: Person, sent: Sent, clock: MovableClock) -> None:
    await client.post("/v1/auth/password/forgot", json={"email": amina.email})
    token = token_in((await mails(sent, "password_reset"))[0])
    clock.ahead = timedelta(minutes=31)
    body = {"token": token, "new_password": NEW_PASSWORD}
    assert problem(await client.post("/v1/auth/password/reset", json=body)) == (422, "link_invalid")


async def test_only_some_reset_mails_are_sent(client: httpx.AsyncClient, amina: Person, sent: Sent) -> None:
    for _ in range(10):
        assert (await client.post("/v1/auth/password/forgot", json={"email": amina.email})).status_code == 202
    assert len(await mails(sent, "password_reset")) == 4


async def test_changing_the_password_ends_the_other_sessions(client: httpx.AsyncClient, amina: Person, sent: Sent) -> None:
    other = await log_in(client, amina.email)
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert (await client.post("/v1/auth/password/change", json=body, headers=amina.headers)).status_code == 204
    assert (await client.get("/v1/me", headers=amina.headers)).status_code == 200
    ended = await client.post("/v1/auth/refresh", json={"refresh_token": other["refresh_token"]})
    assert problem(ended) == (401, "refresh_token_invalid")
    await log_in(client, amina.email, NEW_PASSWORD)
    assert len(await sent("auth.user.password_changed")) == 1
    (mail,) = await mails(sent, "password_changed")
    assert mail["data"].keys() == {"full_name", "changed_at"}


async def test_the_present_password_is_needed_and_guesses_are_counted(
    client: httpx.AsyncClient, amina: Person, sent: Sent
) -> None:
    body = {"current_password": "a wrong guess", "new_password": NEW_PASSWORD}
    statuses = [problem(await client.post("/v1/auth/password/change", json=body, headers=amina.headers)) for _ in range(6)]
    assert statuses == [(422, "wrong_password")] * 5 + [(429, "too_many_attempts")]
    login = await client.post("/v1/auth/login", json={"email": amina.email, "password": PASSWORD})
    assert problem(login) == (429, "too_many_attempts")
    assert not await sent("auth.user.password_changed")


async def test_the_pages_behind_the_links(client: httpx.AsyncClient, amina: Person, sent: Sent) -> None:
    link = (await mails(sent, "verify_email"))[0]["data"]["link"].removeprefix("http://localhost:8000")
    for _ in range(2):
        page = await client.get(link)
        assert page.status_code == 200
        assert "Confirm" in page.text
    assert not await sent("auth.user.email_verified")
    assert "script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    token = token_in((await mails(sent, "verify_email"))[0])
    done = await client.post("/v1/auth/pages/verify-email", data={"token": token})
    assert done.status_code == 200
    assert "is confirmed" in done.text
    again = await client.post("/v1/auth/pages/verify-email", data={"token": token})
    assert again.status_code == 422
    assert "does not work any more" in again.text


async def test_the_page_for_a_new_password(client: httpx.AsyncClient, amina: Person, sent: Sent) -> None:
    await client.post("/v1/auth/password/forgot", json={"email": amina.email})
    token = token_in((await mails(sent, "password_reset"))[0])
    page = await client.get("/v1/auth/pages/reset-password", params={"token": token + '"><b>'})
    assert "<b>" not in page.text
    weak = await client.post("/v1/auth/pages/reset-password", data={"token": token, "password": "short"})
    assert weak.status_code == 422
    assert token in weak.text
    done = await client.post("/v1/auth/pages/reset-password", data={"token": token, "password": NEW_PASSWORD})
    assert done.status_code == 200
    await log_in(client, amina.email, NEW_PASSWORD)
