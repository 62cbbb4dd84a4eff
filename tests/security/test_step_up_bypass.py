"""Ways around the fresh proof: old tokens, other sessions, forged claims, factors that come and go, and mixed-up secrets."""

import base64
import json
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from tests.service.auth.conftest import PASSWORD, MovableClock, Person, Sent, log_in, problem, token_in
from tests.support.identity import access_token
from tests.support.second_factors import begin_login, enrol_app

PROTECTED = "/v1/auth/passkeys/register/options"


@pytest.fixture
def clock() -> MovableClock:
    """Long enough ago for a proof to get old while its access token is good."""
    clock = MovableClock()
    clock.ahead = timedelta(minutes=-13)
    return clock


def bearer(tokens: dict[str, Any] | str) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens if isinstance(tokens, str) else tokens['access_token']}"}


async def protected(client: httpx.AsyncClient, tokens: dict[str, Any] | str) -> httpx.Response:
    return await client.post(PROTECTED, headers=bearer(tokens))


async def test_an_old_token_after_its_session_was_proved(client: httpx.AsyncClient, amina: Person, clock: MovableClock) -> None:
    """The proof is the session's: its old token opens auth's own doors again, and never those of others, who see only it."""
    clock.ahead += timedelta(minutes=11)
    assert problem(await protected(client, amina.tokens)) == (401, "step_up_required")
    proof = {"method": "password", "password": PASSWORD}
    assert (await client.post("/v1/auth/step-up", headers=amina.headers, json=proof)).status_code == 200
    claims = json.loads(base64.urlsafe_b64decode(amina.tokens["access_token"].split(".")[1] + "=="))
    assert clock.now().timestamp() - claims["auth_time"] > 600


async def test_a_refresh_is_no_proof(client: httpx.AsyncClient, amina: Person, clock: MovableClock) -> None:
    clock.ahead += timedelta(minutes=11)
    renewed = await client.post("/v1/auth/refresh", json={"refresh_token": amina.tokens["refresh_token"]})
    assert problem(await protected(client, renewed.json())) == (401, "step_up_required")


async def test_the_proof_of_another_session(client: httpx.AsyncClient, amina: Person, clock: MovableClock) -> None:
    stolen = await log_in(client, amina.email)
    clock.ahead += timedelta(minutes=11)
    stepped = await client.post("/v1/auth/step-up", headers=amina.headers, json={"method": "password", "password": PASSWORD})
    assert (await protected(client, stepped.json())).status_code == 200
    assert problem(await protected(client, stolen)) == (401, "step_up_required")


async def test_forged_claims(client: httpx.AsyncClient, amina: Person, clock: MovableClock) -> None:
    clock.ahead += timedelta(minutes=11)
    head, payload, signature = amina.tokens["access_token"].split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    now = int(clock.now().timestamp())
    for forged in ({"auth_time": now}, {"mfa": True, "mfa_time": now}, {"mfa": False, "auth_time": now}):
        changed = base64.urlsafe_b64encode(json.dumps(claims | forged).encode()).rstrip(b"=").decode()
        assert problem(await protected(client, f"{head}.{changed}.{signature}")) == (401, "unauthenticated")
        foreign = access_token(amina.id, sid=claims["sid"], **forged)
        assert problem(await protected(client, foreign)) == (401, "unauthenticated")


async def test_a_factor_that_was_removed_meanwhile(client: httpx.AsyncClient, amina: Person, clock: MovableClock) -> None:
    """The token still tells of a fresh second factor; there is none any more, and the login is old."""
    clock.ahead += timedelta(minutes=9)
    app, _ = await enrol_app(client, amina.headers, clock)
    stepped = await client.post("/v1/auth/step-up", headers=amina.headers, json={"method": "totp", "code": app.code()})
    assert (await client.delete("/v1/auth/mfa/totp", headers=bearer(stepped.json()))).status_code == 204
    clock.ahead += timedelta(minutes=2)
    refused = await protected(client, stepped.json())
    assert problem(refused) == (401, "step_up_required")
    assert refused.json()["methods"] == ["password"]


async def test_a_factor_that_was_added_meanwhile(client: httpx.AsyncClient, amina: Person, clock: MovableClock) -> None:
    """A thief's session, opened with the password and fresh, does not outlive the owner's new factor."""
    stolen = await log_in(client, amina.email)
    waiting = await client.post("/v1/auth/login", json={"email": amina.email, "password": PASSWORD})
    await enrol_app(client, amina.headers, clock)
    assert problem(await protected(client, stolen)) == (401, "session_ended")
    proof = {"method": "password", "password": PASSWORD}
    assert problem(await client.post("/v1/auth/step-up", headers=bearer(stolen), json=proof)) == (401, "session_ended")
    renewed = await client.post("/v1/auth/refresh", json={"refresh_token": waiting.json()["refresh_token"]})
    assert problem(renewed) == (401, "refresh_token_invalid")


async def test_tokens_of_one_kind_for_another(client: httpx.AsyncClient, amina: Person, clock: MovableClock) -> None:
    app, _ = await enrol_app(client, amina.headers, clock)
    step = await begin_login(client, amina.email, PASSWORD)
    assert problem(await protected(client, step["mfa_token"])) == (401, "unauthenticated")
    assert (await client.post("/v1/auth/refresh", json={"refresh_token": step["mfa_token"]})).status_code == 401
    for token in (amina.tokens["refresh_token"], "x" * 200):
        body = {"mfa_token": token, "method": "totp", "code": app.code()}
        assert problem(await client.post("/v1/auth/login/mfa", json=body)) == (401, "mfa_token_invalid")


async def test_the_attackers_own_factor_for_the_victims_login(
    client: httpx.AsyncClient, amina: Person, baraka: Person, clock: MovableClock
) -> None:
    """He has her password, and an app and recovery codes of his own."""
    await enrol_app(client, amina.headers, clock)
    app, codes = await enrol_app(client, baraka.headers, clock)
    step = await begin_login(client, amina.email, PASSWORD)
    for method, code in (("totp", app.code()), ("recovery_code", codes[0])):
        body = {"mfa_token": step["mfa_token"], "method": method, "code": code}
        assert problem(await client.post("/v1/auth/login/mfa", json=body)) == (401, "code_invalid")


async def test_a_stolen_mailbox_is_not_enough(
    client: httpx.AsyncClient, amina: Person, clock: MovableClock, sent: Sent, owner: asyncpg.Connection
) -> None:
    """A password that was reset by e-mail opens only the first step."""
    await enrol_app(client, amina.headers, clock)
    await client.post("/v1/auth/password/forgot", json={"email": amina.email})
    link = next(mail for mail in await sent("notifications.email.send") if mail["template"] == "password_reset")
    body = {"token": token_in(link), "new_password": "another fine secret"}
    assert (await client.post("/v1/auth/password/reset", json=body)).status_code == 204
    step = await begin_login(client, amina.email, "another fine secret")
    assert step["methods"] == ["totp", "recovery_code"]
    assert await owner.fetchval("SELECT count(*) FROM auth.sessions WHERE ended_at IS NULL AND user_id = $1", amina.id) == 0
