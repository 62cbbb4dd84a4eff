"""A code of an authenticator app is worth one use: again, in parallel, in another flow, or out of order, it is refused."""

import asyncio

import httpx
import pytest

from services.auth.domain.totp import code_of
from tests.service.auth.conftest import PASSWORD, MovableClock, Person, problem
from tests.support.second_factors import BEFORE, App, begin_login, enrol_app


@pytest.fixture
def clock() -> MovableClock:
    clock = MovableClock()
    clock.ahead = BEFORE
    return clock


@pytest.fixture
async def app(client: httpx.AsyncClient, amina: Person, clock: MovableClock) -> App:
    return (await enrol_app(client, amina.headers, clock))[0]


async def finish(client: httpx.AsyncClient, mfa_token: str, code: str) -> httpx.Response:
    return await client.post("/v1/auth/login/mfa", json={"mfa_token": mfa_token, "method": "totp", "code": code})


async def test_replay_of_a_code_that_was_used(client: httpx.AsyncClient, amina: Person, app: App) -> None:
    first, second = [(await begin_login(client, amina.email, PASSWORD))["mfa_token"] for _ in range(2)]
    code = app.code()
    assert (await finish(client, first, code)).status_code == 200
    assert problem(await finish(client, second, code)) == (401, "code_invalid")
    stepped = await client.post("/v1/auth/step-up", headers=amina.headers, json={"method": "totp", "code": code})
    assert problem(stepped) == (401, "code_invalid")
    assert (await finish(client, second, app.code())).status_code == 200


async def test_replay_in_parallel(client: httpx.AsyncClient, amina: Person, app: App) -> None:
    """Two logins and a step-up with the same code at the same time: one of the five requests is answered."""
    tokens = [(await begin_login(client, amina.email, PASSWORD))["mfa_token"] for _ in range(2)]
    code = app.code()
    proof = {"method": "totp", "code": code}
    answers = await asyncio.gather(
        *(finish(client, token, code) for token in tokens * 2),
        client.post("/v1/auth/step-up", headers=amina.headers, json=proof),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401, 401]


async def test_replay_of_the_code_that_confirmed_the_app(client: httpx.AsyncClient, amina: Person, app: App) -> None:
    token = (await begin_login(client, amina.email, PASSWORD))["mfa_token"]
    assert problem(await finish(client, token, code_of(app.secret, app.last_step))) == (401, "code_invalid")


async def test_a_code_that_was_shown_before_one_that_was_used(client: httpx.AsyncClient, amina: Person, app: App) -> None:
    """It is still within its time, and has never been used itself."""
    app.code()
    unused = app.last_step
    first, second = [(await begin_login(client, amina.email, PASSWORD))["mfa_token"] for _ in range(2)]
    assert (await finish(client, first, app.code())).status_code == 200
    assert app.last_step == unused + 1
    assert problem(await finish(client, second, code_of(app.secret, unused))) == (401, "code_invalid")


async def test_one_login_in_parallel_becomes_one_session(client: httpx.AsyncClient, amina: Person, app: App) -> None:
    token = (await begin_login(client, amina.email, PASSWORD))["mfa_token"]
    codes = [app.code(), app.code()]
    answers = await asyncio.gather(*(finish(client, token, code) for code in codes * 2))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]
