"""Changing the e-mail address of an account."""

import asyncpg
import httpx

from tests.service.auth.conftest import Person, Sent, log_in, problem, token_in

CHANGE = "/v1/auth/email/change"
NEW = "amina.new@example.com"


async def test_it_counts_when_the_link_at_the_new_address_is_used(
    client: httpx.AsyncClient, amina: Person, sent: Sent, owner: asyncpg.Connection
) -> None:
    assert (await client.post(CHANGE, json={"email": NEW}, headers=amina.headers)).status_code == 202
    mail = (await sent("notifications.email.send"))[-1]
    assert (mail["template"], mail["to"]) == ("change_email", NEW)
    assert (await client.get("/v1/me", headers=amina.headers)).json()["email"] == amina.email
    page = await client.get(mail["data"]["link"].removeprefix("http://localhost:8000"))
    assert page.status_code == 200
    confirmed = await client.post(f"{CHANGE}/confirm", json={"token": token_in(mail)})
    assert confirmed.json() == {"email": NEW, "email_verified": True}
    assert problem(await client.post(f"{CHANGE}/confirm", json={"token": token_in(mail)})) == (422, "link_invalid")
    await log_in(client, NEW)
    old = await client.post("/v1/auth/login", json={"email": amina.email, "password": "a long enough secret"})
    assert problem(old) == (401, "invalid_credentials")
    notice = (await sent("notifications.email.send"))[-1]
    assert (notice["template"], notice["to"]) == ("email_changed", amina.email)
    assert NEW not in str(notice)
    assert (await sent("auth.user.updated"))[-1]["email"] == NEW
    assert (await sent("auth.user.email_verified"))[-1]["email"] == NEW


async def test_an_address_that_has_an_account_is_not_given_away(
    client: httpx.AsyncClient, amina: Person, baraka: Person, sent: Sent, owner: asyncpg.Connection
) -> None:
    answer = await client.post(CHANGE, json={"email": baraka.email}, headers=amina.headers)
    assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    mail = (await sent("notifications.email.send"))[-1]
    assert (mail["template"], mail["to"]) == ("registration_repeated", baraka.email)
    assert await owner.fetchval("SELECT count(*) FROM auth.mailed_links WHERE purpose = 'change_email'") == 0


async def test_an_address_that_somebody_took_meanwhile(
    client: httpx.AsyncClient, amina: Person, baraka: Person, sent: Sent
) -> None:
    for person in (amina, baraka):
        await client.post(CHANGE, json={"email": NEW}, headers=person.headers)
    first, second = [mail for mail in await sent("notifications.email.send") if mail["template"] == "change_email"]
    assert (await client.post(f"{CHANGE}/confirm", json={"token": token_in(first)})).status_code == 200
    late = await client.post(f"{CHANGE}/confirm", json={"token": token_in(second)})
    assert problem(late) == (422, "link_invalid")


async def test_links_to_the_old_address_die(client: httpx.AsyncClient, amina: Person, sent: Sent) -> None:
    await client.post("/v1/auth/password/forgot", json={"email": amina.email})
    reset = token_in((await sent("notifications.email.send"))[-1])
    await client.post(CHANGE, json={"email": NEW}, headers=amina.headers)
    mail = (await sent("notifications.email.send"))[-1]
    await client.post(f"{CHANGE}/confirm", json={"token": token_in(mail)})
    body = {"token": reset, "new_password": "another long secret"}
    assert problem(await client.post("/v1/auth/password/reset", json=body)) == (422, "link_invalid")


async def test_it_needs_a_fresh_login_and_another_address(
    client: httpx.AsyncClient, amina: Person, owner: asyncpg.Connection
) -> None:
    same = await client.post(CHANGE, json={"email": amina.email.upper()}, headers=amina.headers)
    assert problem(same) == (422, "email_unchanged")
    await owner.execute("UPDATE auth.sessions SET authenticated_at = authenticated_at - interval '11 minutes'")
    tokens = (await client.post("/v1/auth/refresh", json={"refresh_token": amina.tokens["refresh_token"]})).json()
    stale = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert problem(await client.post(CHANGE, json={"email": NEW}, headers=stale)) == (401, "step_up_required")


async def test_a_suspended_account_keeps_its_address(
    client: httpx.AsyncClient, amina: Person, sent: Sent, owner: asyncpg.Connection
) -> None:
    await client.post(CHANGE, json={"email": NEW}, headers=amina.headers)
    mail = (await sent("notifications.email.send"))[-1]
    await owner.execute("UPDATE auth.users SET status = 'suspended' WHERE id = $1", amina.id)
    assert problem(await client.post(f"{CHANGE}/confirm", json={"token": token_in(mail)})) == (422, "link_invalid")


async def test_the_home_currency(client: httpx.AsyncClient, amina: Person) -> None:
    changed = await client.patch("/v1/me", json={"home_currency": "JPY"}, headers=amina.headers)
    assert changed.json()["home_currency"] == "JPY"
    for wrong in ("XXX?", "jpy", None, ""):
        answer = await client.patch("/v1/me", json={"home_currency": wrong}, headers=amina.headers)
        assert problem(answer) == (422, "validation_error")
