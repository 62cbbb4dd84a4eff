"""A suspended and a closed account × every way in, as one table. Each way opens the account while it is active."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from tests.service.auth.conftest import PASSWORD, MovableClock, Person, Sent, log_in, register, token_in
from tests.service.auth.test_api_clients import ask, make
from tests.service.auth.test_passkeys import enrol, login_options, passkey_login
from tests.service.auth.test_sign_on import begin, come_back, exchange, issuer, query, settings_changes, sign_on_as
from tests.support.authenticator import Authenticator
from tests.support.openid_provider import sign_on
from tests.support.second_factors import App, begin_login, codes_sent, enrol_app

__all__ = ["issuer", "settings_changes"]

pytestmark = pytest.mark.xdist_group("openid provider")

NUMBER = "+254712345678"
OPEN = (200, "open")
Attempt = Callable[[], Awaitable[httpx.Response]]


@dataclass
class Stage:
    """Somebody with everything that can open an account, and somebody with a password alone."""

    client: httpx.AsyncClient
    owner: asyncpg.Connection
    person: Person
    plain: Person
    app: App
    device: Authenticator
    recovery_code: str
    api_client: dict[str, Any]


@pytest.fixture
def clock() -> MovableClock:
    """Codes of apps move it on; the provider's tokens may be of a minute ahead."""
    clock = MovableClock()
    clock.ahead = timedelta(seconds=-50)
    return clock


@pytest.fixture
async def stage(client: httpx.AsyncClient, sent: Sent, owner: asyncpg.Connection, clock: MovableClock) -> Stage:
    plain = await register(client, "plain@example.com")
    code = (await sign_on_as(client, "amina"))["sso_code"]
    tokens = (await exchange(client, code)).json()
    person = Person(plain.id, "amina@example.com", tokens)
    await client.post("/v1/auth/password/forgot", json={"email": person.email})
    body = {"token": token_in((await sent("notifications.email.send"))[-1]), "new_password": PASSWORD}
    assert (await client.post("/v1/auth/password/reset", json=body)).status_code == 204
    person.tokens = await log_in(client, person.email)
    api_client = await make(client, person)
    device = Authenticator(counts=False)
    recovery = (await enrol(client, person, device)).json()["recovery_codes"]
    app, _ = await enrol_app(client, person.headers, clock)
    for method, to, body in (("sms", NUMBER, {"phone": NUMBER}), ("email", person.email, None)):
        await client.post(f"/v1/auth/mfa/{method}", headers=person.headers, json=body)
        confirm = {"code": (await codes_sent(owner, to))[-1]}
        done = await client.post(f"/v1/auth/mfa/{method}/confirm", headers=person.headers, json=confirm)
        assert done.status_code == 200, done.text
    return Stage(client, owner, person, plain, app, device, recovery[0], api_client)


async def by_password(stage: Stage) -> Attempt:
    return lambda: stage.client.post("/v1/auth/login", json={"email": stage.plain.email, "password": PASSWORD})


def by_code(method: str, code: Callable[[Stage], Awaitable[str]]) -> Callable[[Stage], Awaitable[Attempt]]:
    """A login that waits for this factor."""

    async def prepare(stage: Stage) -> Attempt:
        step = await begin_login(stage.client, stage.person.email, PASSWORD)
        ask_for = {"mfa_token": step["mfa_token"], "method": method}
        if method in ("sms", "email"):
            assert (await stage.client.post("/v1/auth/login/mfa/challenge", json=ask_for)).status_code == 200
        body = {**ask_for, "code": await code(stage)}
        return lambda: stage.client.post("/v1/auth/login/mfa", json=body)

    return prepare


async def by_passkey_after_password(stage: Stage) -> Attempt:
    step = await begin_login(stage.client, stage.person.email, PASSWORD)
    ask_for = {"mfa_token": step["mfa_token"], "method": "passkey"}
    options = (await stage.client.post("/v1/auth/login/mfa/challenge", json=ask_for)).json()["passkey_options"]
    body = {**ask_for, "credential": stage.device.get(options)}
    return lambda: stage.client.post("/v1/auth/login/mfa", json=body)


async def by_passkey_alone(stage: Stage) -> Attempt:
    credential = stage.device.get(await login_options(stage.client))
    return lambda: passkey_login(stage.client, credential)


async def by_sign_on_that_is_done(stage: Stage) -> Attempt:
    found = await sign_on_as(stage.client, "amina")
    return lambda: exchange(stage.client, found["sso_code"])


async def by_sign_on(stage: Stage) -> Attempt:
    async def attempt() -> httpx.Response:
        stage.client.cookies.clear()
        back = await sign_on(await begin(stage.client), "amina", "http://localhost:8000/v1/auth/oauth/acme/callback")
        found = query(await come_back(stage.client, back))
        if "sso_code" in found:
            return await exchange(stage.client, found["sso_code"])
        return httpx.Response(403, json={"code": found["sso_error"]})

    return attempt


async def by_refresh(stage: Stage) -> Attempt:
    body = {"refresh_token": stage.person.tokens["refresh_token"]}
    return lambda: stage.client.post("/v1/auth/refresh", json=body)


async def by_refresh_cookie(stage: Stage) -> Attempt:
    login = {"email": stage.plain.email, "password": PASSWORD}
    held = await stage.client.post("/v1/auth/login", json=login, headers={"X-Session-Mode": "cookie"})
    cookies = "; ".join(f"{name}={value}" for name, value in held.cookies.items())
    stage.client.cookies.clear()
    headers = {"Cookie": cookies, "X-CSRF-Token": held.json()["csrf_token"]}
    return lambda: stage.client.post("/v1/auth/refresh", headers=headers)


async def by_access_token(stage: Stage) -> Attempt:
    return lambda: stage.client.get("/v1/me", headers=stage.person.headers)


async def by_api_client(stage: Stage) -> Attempt:
    return lambda: ask(stage.client, stage.api_client)


async def by_step_up(stage: Stage) -> Attempt:
    body = {"method": "totp", "code": stage.app.code()}
    return lambda: stage.client.post("/v1/auth/step-up", json=body, headers=stage.person.headers)


async def by_step_up_with_password(stage: Stage) -> Attempt:
    body = {"method": "password", "password": PASSWORD}
    return lambda: stage.client.post("/v1/auth/step-up", json=body, headers=stage.plain.headers)


async def the_app(stage: Stage) -> str:
    return stage.app.code()


async def the_text(stage: Stage) -> str:
    return (await codes_sent(stage.owner, NUMBER))[-1]


async def the_mail(stage: Stage) -> str:
    return (await codes_sent(stage.owner, stage.person.email))[-1]


async def the_paper(stage: Stage) -> str:
    return stage.recovery_code


SUSPENDED = (403, "account_suspended")
ENDED = (401, "session_ended")
WAYS: dict[str, tuple[Callable[[Stage], Awaitable[Attempt]], tuple[int, str]]] = {
    "password": (by_password, SUSPENDED),
    "app code": (by_code("totp", the_app), SUSPENDED),
    "code by SMS": (by_code("sms", the_text), SUSPENDED),
    "code by e-mail": (by_code("email", the_mail), SUSPENDED),
    "recovery code": (by_code("recovery_code", the_paper), SUSPENDED),
    "passkey after the password": (by_passkey_after_password, SUSPENDED),
    "passkey alone": (by_passkey_alone, SUSPENDED),
    "sign-on": (by_sign_on, SUSPENDED),
    "sign-on that waits for its exchange": (by_sign_on_that_is_done, SUSPENDED),
    "refresh token": (by_refresh, SUSPENDED),
    "refresh cookie": (by_refresh_cookie, SUSPENDED),
    "access token": (by_access_token, ENDED),
    "API client": (by_api_client, (401, "invalid_client")),
    "step-up": (by_step_up, ENDED),
    "step-up with the password": (by_step_up_with_password, ENDED),
}
"""How to be ready at the door, and what the door says when the account is not active."""


def outcome(answer: httpx.Response) -> tuple[int, str]:
    document = answer.json()
    return (200, "open") if answer.is_success else (answer.status_code, document.get("code") or document["error"])


@pytest.mark.parametrize("status", ["active", "suspended", "closed"])
async def test_every_way_in(stage: Stage, owner: asyncpg.Connection, status: str) -> None:
    """The status alone is changed, and nothing that an operator's change ends besides: each door has its own lock."""
    expected = {way: OPEN if status == "active" else refused for way, (_, refused) in WAYS.items()}
    found: dict[str, tuple[int, str]] = {}
    for way, (prepare, _) in WAYS.items():
        await owner.execute("UPDATE auth.users SET status = 'active'")
        attempt = await prepare(stage)
        await owner.execute("UPDATE auth.users SET status = $1 WHERE NOT 'admin' = ANY (roles)", status)
        before = await owner.fetchval("SELECT count(*) FROM auth.sessions")
        found[way] = outcome(await attempt())
        if status != "active":
            assert await owner.fetchval("SELECT count(*) FROM auth.sessions") == before, way
    assert found == expected
