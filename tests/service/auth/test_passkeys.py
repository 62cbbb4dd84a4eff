"""Passkeys: registered, used alone and as a second factor, renamed, removed."""

from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from tests.service.auth.conftest import PASSWORD, MovableClock, Person, Sent, at_once, log_in, problem, register
from tests.service.auth.test_login import claims_of
from tests.support.authenticator import Authenticator, decoded, encoded
from tests.support.second_factors import BEFORE, begin_login


@pytest.fixture
def clock() -> MovableClock:
    clock = MovableClock()
    clock.ahead = BEFORE
    return clock


async def enrol(client: httpx.AsyncClient, person: Person, device: Authenticator, **body: Any) -> httpx.Response:
    options = (await client.post("/v1/auth/passkeys/register/options", headers=person.headers)).json()["options"]
    body = {"name": "My phone", "credential": device.create(options), **body}
    return await client.post("/v1/auth/passkeys/register", headers=person.headers, json=body)


async def login_options(client: httpx.AsyncClient) -> dict[str, Any]:
    options: dict[str, Any] = (await client.post("/v1/auth/passkeys/login/options")).json()["options"]
    return options


async def passkey_login(client: httpx.AsyncClient, credential: dict[str, Any]) -> httpx.Response:
    return await client.post("/v1/auth/passkeys/login", json={"credential": credential})


async def test_a_passkey_alone_opens_a_session(
    client: httpx.AsyncClient, amina: Person, sent: Sent, owner: asyncpg.Connection
) -> None:
    elsewhere = await log_in(client, amina.email)
    device = Authenticator()
    made = await enrol(client, amina, device)
    assert made.status_code == 201, made.text
    assert made.json()["name"] == "My phone"
    assert len(made.json()["recovery_codes"]) == 10
    assert "factor_added" in [mail["template"] for mail in await sent("notifications.email.send")]
    ended = await client.get("/v1/me", headers={"Authorization": f"Bearer {elsewhere['access_token']}"})
    assert problem(ended) == (401, "session_ended")

    options = await login_options(client)
    assert options["rpId"] == "localhost"
    assert options["userVerification"] == "required"
    assert not options.get("allowCredentials")
    answer = await passkey_login(client, device.get(options))
    assert answer.status_code == 200, answer.text
    claims = claims_of(answer.json()["access_token"])
    assert (claims["sub"], claims["amr"], claims["mfa"]) == (str(amina.id), ["pop", "mfa"], True)
    assert claims["mfa_time"] == claims["auth_time"]
    assert await owner.fetchval("SELECT sign_count FROM auth.passkeys") == device.sign_count


async def test_registration_asks_for_a_key_that_can_be_chosen_and_verifies_its_user(
    client: httpx.AsyncClient, amina: Person
) -> None:
    await enrol(client, amina, Authenticator())
    options = (await client.post("/v1/auth/passkeys/register/options", headers=amina.headers)).json()["options"]
    assert options["rp"]["id"] == "localhost"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert decoded(options["user"]["id"]) == amina.id.bytes
    assert len(options["excludeCredentials"]) == 1


async def test_a_passkey_as_second_factor_and_for_a_step_up(
    client: httpx.AsyncClient, amina: Person, clock: MovableClock
) -> None:
    device = Authenticator(counts=False)
    await enrol(client, amina, device)
    step = await begin_login(client, amina.email, PASSWORD)
    assert step["methods"] == ["passkey", "recovery_code"]
    ask = {"mfa_token": step["mfa_token"], "method": "passkey"}
    options = (await client.post("/v1/auth/login/mfa/challenge", json=ask)).json()["passkey_options"]
    assert [decoded(allowed["id"]) for allowed in options["allowCredentials"]] == [device.credential_id]
    finish = {**ask, "credential": device.get(options)}
    done = await client.post("/v1/auth/login/mfa", json=finish)
    assert claims_of(done.json()["access_token"])["amr"] == ["pwd", "pop", "mfa"]
    headers = {"Authorization": f"Bearer {done.json()['access_token']}"}

    clock.ahead += timedelta(minutes=1)
    asked = await client.post("/v1/auth/step-up/challenge", headers=headers, json={"method": "passkey"})
    proof = {"method": "passkey", "credential": device.get(asked.json()["passkey_options"])}
    stepped = await client.post("/v1/auth/step-up", headers=headers, json=proof)
    assert claims_of(stepped.json()["access_token"])["mfa_time"] >= claims_of(done.json()["access_token"])["mfa_time"] + 60
    assert problem(await client.post("/v1/auth/step-up", headers=headers, json=proof)) == (401, "passkey_refused")


async def test_a_challenge_is_signed_once_and_soon(
    client: httpx.AsyncClient, amina: Person, clock: MovableClock, owner: asyncpg.Connection
) -> None:
    device = Authenticator(counts=False)
    await enrol(client, amina, device)
    options = await login_options(client)
    answers = await at_once(*(passkey_login(client, device.get(options)) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 4
    late = await login_options(client)
    clock.ahead += timedelta(minutes=5, seconds=1)
    assert problem(await passkey_login(client, device.get(late))) == (401, "passkey_refused")
    never_asked = {**late, "challenge": encoded(b"x" * 32)}
    assert problem(await passkey_login(client, device.get(never_asked))) == (401, "passkey_refused")
    assert await owner.fetchval("SELECT count(*) FROM auth.passkey_challenges") == 0


async def test_a_challenge_of_one_use_is_no_good_for_another(client: httpx.AsyncClient, amina: Person, baraka: Person) -> None:
    device = Authenticator(counts=False)
    await enrol(client, amina, device)
    asked = await client.post("/v1/auth/step-up/challenge", headers=amina.headers, json={"method": "passkey"})
    assert problem(await passkey_login(client, device.get(asked.json()["passkey_options"]))) == (401, "passkey_refused")
    signed = device.get(await login_options(client))
    stepped = await client.post("/v1/auth/step-up", headers=amina.headers, json={"method": "passkey", "credential": signed})
    assert problem(stepped) == (401, "passkey_refused")
    options = (await client.post("/v1/auth/passkeys/register/options", headers=amina.headers)).json()["options"]
    body = {"name": "Stolen", "credential": Authenticator().create(options)}
    foreign = await client.post("/v1/auth/passkeys/register", headers=baraka.headers, json=body)
    assert problem(foreign) == (422, "passkey_invalid")


@pytest.mark.parametrize(
    "device",
    [
        Authenticator(origin="https://lendery.example.com"),
        Authenticator(site_id="example.com"),
        Authenticator(verifies_user=False),
    ],
    ids=["other origin", "other site", "user not verified"],
)
async def test_what_another_site_or_nobody_signed_is_refused(
    client: httpx.AsyncClient, amina: Person, device: Authenticator
) -> None:
    assert problem(await enrol(client, amina, device)) == (422, "passkey_invalid")
    good = (device.origin, device.site_id, device.verifies_user)
    device.origin, device.site_id, device.verifies_user = "http://localhost:8000", "localhost", True
    assert (await enrol(client, amina, device)).status_code == 201
    device.origin, device.site_id, device.verifies_user = good
    assert problem(await passkey_login(client, device.get(await login_options(client)))) == (401, "passkey_refused")


async def test_the_host_header_decides_nothing(client: httpx.AsyncClient, amina: Person) -> None:
    forged = {**amina.headers, "Host": "evil.example", "X-Forwarded-Host": "evil.example", "Origin": "https://evil.example"}
    options = (await client.post("/v1/auth/passkeys/register/options", headers=forged)).json()["options"]
    assert options["rp"]["id"] == "localhost"
    device = Authenticator(origin="https://evil.example", site_id="evil.example")
    made = await client.post("/v1/auth/passkeys/register", headers=forged, json={"credential": device.create(options)})
    assert problem(made) == (422, "passkey_invalid")


async def test_a_counter_that_goes_backwards_blocks_the_passkey(
    client: httpx.AsyncClient, amina: Person, sent: Sent, owner: asyncpg.Connection
) -> None:
    device = Authenticator(sign_count=10)
    codes = (await enrol(client, amina, device)).json()["recovery_codes"]
    assert (await passkey_login(client, device.get(await login_options(client)))).status_code == 200
    device.sign_count = 5  # as a copy of before would say
    assert problem(await passkey_login(client, device.get(await login_options(client)))) == (401, "passkey_refused")
    device.sign_count = 100
    assert problem(await passkey_login(client, device.get(await login_options(client)))) == (401, "passkey_refused")
    assert (await client.get("/v1/auth/passkeys", headers=amina.headers)).json()["items"][0]["suspected_at"]
    assert "passkey_suspected" in [mail["template"] for mail in await sent("notifications.email.send")]
    # The account goes on needing a second step: a copy is no way around it.
    step = await begin_login(client, amina.email, PASSWORD)
    assert step["methods"] == ["recovery_code"]
    finish = {"mfa_token": step["mfa_token"], "method": "recovery_code", "code": codes[0]}
    assert (await client.post("/v1/auth/login/mfa", json=finish)).status_code == 200
    assert await owner.fetchval("SELECT count(*) FROM auth.audit_log WHERE action = 'passkey.suspected'") == 1


async def test_a_passkey_that_names_another_account_is_refused(client: httpx.AsyncClient, amina: Person, baraka: Person) -> None:
    device = Authenticator()
    await enrol(client, amina, device)
    device.user_handle = baraka.id.bytes
    assert problem(await passkey_login(client, device.get(await login_options(client)))) == (401, "passkey_refused")
    device.user_handle = b""
    assert problem(await passkey_login(client, device.get(await login_options(client)))) == (401, "passkey_refused")


async def test_a_passkey_is_registered_once(client: httpx.AsyncClient, amina: Person, baraka: Person) -> None:
    device = Authenticator()
    assert (await enrol(client, amina, device)).status_code == 201
    assert problem(await enrol(client, baraka, device)) == (409, "passkey_exists")
    assert (await client.get("/v1/auth/passkeys", headers=baraka.headers)).json() == {"items": []}


async def test_passkeys_are_listed_renamed_and_removed(client: httpx.AsyncClient, amina: Person) -> None:
    device = Authenticator()
    passkey_id = (await enrol(client, amina, device)).json()["id"]
    renamed = await client.patch(f"/v1/auth/passkeys/{passkey_id}", headers=amina.headers, json={"name": "Old phone"})
    assert renamed.json()["name"] == "Old phone"
    (item,) = (await client.get("/v1/auth/passkeys", headers=amina.headers)).json()["items"]
    assert (item["id"], item["name"]) == (passkey_id, "Old phone")
    stranger = await register(client, "eve@example.com")
    for method, body in (("PATCH", {"name": "Mine"}), ("DELETE", None)):
        foreign = await client.request(method, f"/v1/auth/passkeys/{passkey_id}", headers=stranger.headers, json=body)
        assert problem(foreign) == (404, "passkey_not_found")
    assert (await client.delete(f"/v1/auth/passkeys/{passkey_id}", headers=amina.headers)).status_code == 204
    assert problem(await passkey_login(client, device.get(await login_options(client)))) == (401, "passkey_refused")
    assert (await log_in(client, amina.email))["access_token"]


@pytest.mark.parametrize(
    "credential",
    [
        {},
        {"rawId": "AAAA", "response": {}},
        {"rawId": 5, "response": {"clientDataJSON": 7}},
        {"rawId": "é", "response": {"clientDataJSON": "e30"}},
        {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {"clientDataJSON": "eyJjaGFsbGVuZ2UiOjF9"}},
    ],
)
async def test_nonsense_is_refused(client: httpx.AsyncClient, amina: Person, credential: dict[str, Any]) -> None:
    assert problem(await passkey_login(client, credential)) == (401, "passkey_refused")
    made = await client.post("/v1/auth/passkeys/register", headers=amina.headers, json={"credential": credential})
    assert problem(made) == (422, "passkey_invalid")


async def test_a_suspended_account_is_not_opened_by_a_passkey(
    client: httpx.AsyncClient, amina: Person, owner: asyncpg.Connection
) -> None:
    device = Authenticator()
    await enrol(client, amina, device)
    await owner.execute("UPDATE auth.users SET status = 'suspended' WHERE id = $1", amina.id)
    assert problem(await passkey_login(client, device.get(await login_options(client)))) == (403, "account_suspended")
