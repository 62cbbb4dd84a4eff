"""Proving once more to be there, and what wants it."""

from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from tests.service.auth.conftest import PASSWORD, MovableClock, Person, log_in, problem
from tests.service.auth.test_login import claims_of
from tests.support.second_factors import App, begin_login, codes_sent, enrol_app

WANTS_PROOF: list[tuple[str, str, dict[str, Any] | None]] = [
    ("POST", "/v1/auth/mfa/totp", None),
    ("POST", "/v1/auth/mfa/sms", None),
    ("POST", "/v1/auth/mfa/email", None),
    ("POST", "/v1/auth/mfa/recovery-codes", None),
    ("DELETE", "/v1/auth/mfa/totp", None),
    ("POST", "/v1/auth/passkeys/register/options", None),
    ("DELETE", "/v1/auth/passkeys/01890a5d-ac96-774b-bcce-b302099a8057", None),
    ("POST", "/v1/auth/password/change", {"current_password": PASSWORD, "new_password": "another fine secret"}),
]


@pytest.fixture
def clock() -> MovableClock:
    """Long enough ago for a proof to get old while its access token is good."""
    clock = MovableClock()
    clock.ahead = timedelta(minutes=-13)
    return clock


async def at(client: httpx.AsyncClient, amina: Person, row: tuple[str, str, dict[str, Any] | None]) -> httpx.Response:
    method, path, body = row
    return await client.request(method, path, headers=amina.headers, json=body)


@pytest.mark.parametrize("row", WANTS_PROOF, ids=lambda row: f"{row[0]} {row[1]}")
async def test_an_old_login_must_be_proved_again(
    client: httpx.AsyncClient, amina: Person, clock: MovableClock, row: tuple[str, str, dict[str, Any] | None]
) -> None:
    clock.ahead += timedelta(minutes=10, seconds=2)
    refused = await at(client, amina, row)
    assert problem(refused) == (401, "step_up_required")
    document = refused.json()
    assert (document["methods"], document["max_age_seconds"]) == (["password"], 600)
    assert "insufficient_user_authentication" in refused.headers["www-authenticate"]
    proof = {"method": "password", "password": PASSWORD}
    stepped = await client.post("/v1/auth/step-up", headers=amina.headers, json=proof)
    assert stepped.status_code == 200, stepped.text
    amina.tokens = stepped.json()
    again = await at(client, amina, row)
    assert again.is_success or again.json()["code"] != "step_up_required"


async def test_the_new_tokens_are_of_the_same_session_and_the_old_refresh_token_ends(
    client: httpx.AsyncClient, amina: Person, clock: MovableClock
) -> None:
    clock.ahead += timedelta(minutes=5)
    stepped = await client.post("/v1/auth/step-up", headers=amina.headers, json={"method": "password", "password": PASSWORD})
    assert stepped.headers["cache-control"] == "no-store"
    before, after = claims_of(amina.tokens["access_token"]), claims_of(stepped.json()["access_token"])
    assert after["sid"] == before["sid"]
    assert after["auth_time"] >= before["auth_time"] + 300
    assert "mfa_time" not in after
    clock.ahead += timedelta(seconds=30)
    old = await client.post("/v1/auth/refresh", json={"refresh_token": amina.tokens["refresh_token"]})
    assert problem(old) == (401, "refresh_token_invalid")
    new = await client.post("/v1/auth/refresh", json={"refresh_token": stepped.json()["refresh_token"]})
    assert claims_of(new.json()["access_token"])["auth_time"] == after["auth_time"]


async def test_where_there_is_a_second_factor_the_password_is_not_enough(
    client: httpx.AsyncClient, amina: Person, clock: MovableClock, owner: asyncpg.Connection
) -> None:
    app, codes = await enrol_app(client, amina.headers, clock)
    clock.ahead += timedelta(minutes=10, seconds=30)
    tokens = (await client.post("/v1/auth/refresh", json={"refresh_token": amina.tokens["refresh_token"]})).json()
    amina.tokens = tokens
    refused = await client.delete("/v1/auth/mfa/totp", headers=amina.headers)
    assert problem(refused) == (401, "step_up_required")
    assert refused.json()["methods"] == ["totp", "recovery_code"]
    wrong = await client.post("/v1/auth/step-up", headers=amina.headers, json={"method": "password", "password": PASSWORD})
    assert problem(wrong) == (422, "factor_not_available")
    bad = await client.post("/v1/auth/step-up", headers=amina.headers, json={"method": "totp", "code": app.wrong_code()})
    assert problem(bad) == (401, "code_invalid")
    good = await client.post("/v1/auth/step-up", headers=amina.headers, json={"method": "totp", "code": app.code()})
    claims = claims_of(good.json()["access_token"])
    assert claims["mfa_time"] > claims["auth_time"]
    amina.tokens = good.json()
    assert (await client.delete("/v1/auth/mfa/totp", headers=amina.headers)).status_code == 204
    assert codes


async def test_a_step_up_by_sms(client: httpx.AsyncClient, amina: Person, clock: MovableClock, owner: asyncpg.Connection) -> None:
    number = "+254712345678"
    await client.post("/v1/auth/mfa/sms", headers=amina.headers, json={"phone": number})
    (first,) = await codes_sent(owner, number)
    await client.post("/v1/auth/mfa/sms/confirm", headers=amina.headers, json={"code": first})
    asked = await client.post("/v1/auth/step-up/challenge", headers=amina.headers, json={"method": "sms"})
    assert asked.json() == {"method": "sms", "sent_to": "+254•••678", "passkey_options": None}
    code = (await codes_sent(owner, number))[-1]
    step = await begin_login(client, amina.email, PASSWORD)
    other = {"mfa_token": step["mfa_token"], "method": "sms", "code": code}
    if code != (await codes_sent(owner, number))[-1]:
        assert problem(await client.post("/v1/auth/login/mfa", json=other)) == (401, "code_invalid")
    stepped = await client.post("/v1/auth/step-up", headers=amina.headers, json={"method": "sms", "code": code})
    assert stepped.status_code == 200


async def test_a_wrong_password_is_no_proof(client: httpx.AsyncClient, amina: Person) -> None:
    wrong = await client.post("/v1/auth/step-up", headers=amina.headers, json={"method": "password", "password": "guess"})
    assert problem(wrong) == (422, "wrong_password")
    nobody = await client.post("/v1/auth/step-up", json={"method": "password", "password": PASSWORD})
    assert problem(nobody) == (401, "unauthenticated")


async def test_a_login_is_a_proof(client: httpx.AsyncClient, amina: Person, clock: MovableClock) -> None:
    clock.ahead += timedelta(minutes=11)
    amina.tokens = await log_in(client, amina.email)
    assert isinstance((await enrol_app(client, amina.headers, clock))[0], App)
