"""Brute force: through every flow that takes a password or a code, through all of them together, and from everywhere."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from shared.service import Service
from tests.service.auth.conftest import PASSWORD, MovableClock, Person, Sent, at_once, problem
from tests.support.second_factors import BEFORE, App, begin_login, codes_sent, enrol_app

NUMBER = "+254712345678"
FREE = 5


@pytest.fixture
def clock() -> MovableClock:
    clock = MovableClock()
    clock.ahead = BEFORE
    return clock


@dataclass
class Target:
    """An account under attack by somebody who has its password and a session of it, at one address."""

    client: httpx.AsyncClient
    owner: Person
    app: App | None = None
    mfa_token: str = ""
    recovery_codes: list[str] = field(default_factory=list)

    async def post(self, path: str, body: dict[str, Any], address: str | None = None) -> httpx.Response:
        headers = self.owner.headers | ({"X-Forwarded-For": f"10.0.0.9, {address}"} if address else {})
        return await self.client.post(path, headers=headers, json=body)

    async def log_in(self, password: str) -> httpx.Response:
        return await self.post("/v1/auth/login", {"email": self.owner.email, "password": password})

    async def second_step(self, method: str, code: str, address: str | None = None) -> httpx.Response:
        body = {"mfa_token": self.mfa_token, "method": method, "code": code}
        return await self.post("/v1/auth/login/mfa", body, address)

    async def step_up(self, method: str, code: str) -> httpx.Response:
        return await self.post("/v1/auth/step-up", {"method": method, "code": code})

    async def confirm_phone(self, code: str) -> httpx.Response:
        return await self.post("/v1/auth/phone/verify/confirm", {"code": code})


@pytest.fixture
async def target(client: httpx.AsyncClient, amina: Person) -> Target:
    return Target(client, amina)


@pytest.fixture
async def guarded(target: Target, clock: MovableClock, owner: asyncpg.Connection) -> Target:
    """The same with an app and with a code on its way to a number."""
    target.app, target.recovery_codes = await enrol_app(target.client, target.owner.headers, clock)
    await target.post("/v1/auth/phone/verify", {"phone": NUMBER})
    target.mfa_token = (await begin_login(target.client, target.owner.email, PASSWORD))["mfa_token"]
    return target


Guess = Callable[[Target], Awaitable[httpx.Response]]


def wrong(target: Target) -> str:
    assert target.app is not None
    return target.app.wrong_code()


WITH_A_FACTOR: dict[str, Guess] = {
    "the app's code of a login": lambda t: t.second_step("totp", wrong(t)),
    "a recovery code of a login": lambda t: t.second_step("recovery_code", "AAAA-AAAA-AAAA-AAAA"),
    "the app's code of a step-up": lambda t: t.step_up("totp", wrong(t)),
    "a recovery code of a step-up": lambda t: t.step_up("recovery_code", "AAAA-AAAA-AAAA-AAAA"),
    "the code of a phone number": lambda t: t.confirm_phone("no code"),
    "the password of a login": lambda t: t.log_in("guess"),
    "the password of a change": lambda t: t.post(
        "/v1/auth/password/change", {"current_password": "guess", "new_password": "another fine secret"}
    ),
}
WITHOUT: dict[str, Guess] = {
    "the password of a step-up": lambda t: t.post("/v1/auth/step-up", {"method": "password", "password": "guess"}),
}


def _counted(answers: list[httpx.Response]) -> None:
    """The free tries and, for passwords, what two threads had under way; nothing else was looked at."""
    looked_at = [answer for answer in answers if answer.status_code != 429]
    assert {answer.status_code for answer in looked_at} <= {401, 422}
    assert FREE <= len(looked_at) <= FREE + 1
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert problem(refused) == (429, "too_many_attempts")
    assert 1 <= int(refused.headers["retry-after"]) <= 60


@pytest.mark.parametrize("flow", WITH_A_FACTOR)
async def test_guesses_in_parallel_through_one_flow(guarded: Target, flow: str) -> None:
    _counted(await at_once(*(WITH_A_FACTOR[flow](guarded) for _ in range(12))))


@pytest.mark.parametrize("flow", WITHOUT)
async def test_guesses_in_parallel_without_a_second_factor(target: Target, flow: str) -> None:
    _counted(await at_once(*(WITHOUT[flow](target) for _ in range(12))))


async def test_the_first_code_of_a_factor_is_guessed_no_faster(target: Target, owner: asyncpg.Connection) -> None:
    await target.post("/v1/auth/mfa/sms", {"phone": NUMBER})
    (code,) = await codes_sent(owner, NUMBER)
    guess = "000000" if code != "000000" else "000001"
    _counted(await at_once(*(target.post("/v1/auth/mfa/sms/confirm", {"code": guess}) for _ in range(12))))
    late = await target.post("/v1/auth/mfa/sms/confirm", {"code": code})
    assert late.status_code == 429


async def test_all_flows_together_have_one_number_of_tries(guarded: Target, clock: MovableClock) -> None:
    """Each flow was used less than it alone could be; then none of them takes even what is right."""
    assert guarded.app is not None
    clock.ahead += timedelta(minutes=1)  # for the app to have a new code at once
    for guess in list(WITH_A_FACTOR.values())[:FREE]:
        answer = await guess(guarded)
        assert answer.status_code in (401, 422), answer.text
    right = guarded.app.code()
    for answer in (
        await guarded.log_in(PASSWORD),
        await guarded.second_step("totp", right),
        await guarded.second_step("recovery_code", guarded.recovery_codes[0]),
        await guarded.step_up("totp", right),
        await guarded.confirm_phone("000000"),
        await guarded.post("/v1/auth/password/change", {"current_password": PASSWORD, "new_password": "another secret"}),
    ):
        assert problem(answer) == (429, "too_many_attempts")


async def test_the_right_password_gives_no_more_tries_at_codes(guarded: Target) -> None:
    """Somebody with the password logs in again before each guess."""
    statuses = []
    for _ in range(FREE + 1):
        answer = await guarded.log_in(PASSWORD)
        guarded.mfa_token = answer.json().get("mfa_token", guarded.mfa_token)
        statuses.append((await guarded.second_step("totp", wrong(guarded))).status_code)
    assert statuses == [401] * FREE + [429]


async def test_a_code_survives_few_guesses_from_wherever(
    client: httpx.AsyncClient, amina: Person, owner: asyncpg.Connection
) -> None:
    """The code itself, besides the counters: the sixth try is lost even if it is right."""
    await client.post("/v1/auth/phone/verify", headers=amina.headers, json={"phone": NUMBER})
    (code,) = await codes_sent(owner, NUMBER)
    guess = "000000" if code != "000000" else "000001"
    for _ in range(5):
        body = {"code": guess}
        assert (await client.post("/v1/auth/phone/verify/confirm", headers=amina.headers, json=body)).status_code == 401
        await owner.execute("DELETE FROM auth.attempts")
    late = await client.post("/v1/auth/phone/verify/confirm", headers=amina.headers, json={"code": code})
    assert problem(late) == (401, "code_invalid")


@pytest.fixture
async def everywhere(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(service.app, client=("10.0.0.1", 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://auth.internal") as http:
        yield http


async def test_a_thousand_addresses_share_the_tries_at_a_factor_and_the_owner_is_told(
    everywhere: httpx.AsyncClient, guarded: Target, sent: Sent
) -> None:
    attacker = Target(everywhere, guarded.owner, guarded.app, guarded.mfa_token)
    statuses = [(await attacker.second_step("totp", wrong(guarded), f"198.51.100.{number}")).status_code for number in range(14)]
    assert statuses == [401] * 10 + [429] * 4
    warnings = [mail for mail in await sent("notifications.email.send") if mail["template"] == "factor_attacked"]
    assert [mail["data"]["method"] for mail in warnings] == ["totp"]


async def test_the_owner_is_not_locked_out_by_somebody_elsewhere(
    everywhere: httpx.AsyncClient, guarded: Target, owner: asyncpg.Connection
) -> None:
    """The attacked factor rests for minutes; another one works from where the owner has logged in before."""
    attacker = Target(everywhere, guarded.owner, guarded.app, guarded.mfa_token)
    for number in range(40):
        await attacker.second_step("totp", wrong(guarded), f"198.51.100.{number}")
    longest = await owner.fetchval(
        "SELECT max(extract(epoch FROM blocked_until - last_at)) FROM auth.attempts WHERE kind = 'factor'"
    )
    assert longest <= 15 * 60
    answer = await guarded.second_step("recovery_code", guarded.recovery_codes[0])
    assert answer.status_code == 200, answer.text


@pytest.fixture
def settings_changes(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"auth_address_failures": 8} if "made_up_secrets" in request.node.name else {}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/auth/login/mfa", {"mfa_token": "lmt_made-up", "method": "totp", "code": "123456"}),
        ("/v1/auth/login/mfa/challenge", {"mfa_token": "lmt_made-up", "method": "sms"}),
        ("/v1/auth/password/reset", {"token": "made up", "new_password": "another fine secret"}),
        ("/v1/auth/passkeys/login", {"credential": {"rawId": "AAAA"}}),
    ],
)
async def test_made_up_secrets_are_counted_for_their_address(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> None:
    statuses = [(await client.post(path, json=body)).status_code for _ in range(10)]
    assert set(statuses[:8]) <= {401, 422}
    assert statuses[8:] == [429, 429]
    other = await client.post("/v1/auth/login", json={"email": "nobody@example.com", "password": "guess"})
    assert problem(other) == (429, "too_many_attempts")
