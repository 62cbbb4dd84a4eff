"""Nobody learns who has an account: neither from what register, login, reset and recovery answer, nor from how long they take.

The times are those of 200 tries in turns, one for an account and one for nobody, so that whatever else the machine does falls
on both alike. Compared is the median of the differences. It may be half of what one password hash costs here: leaving out
the hash for unknown accounts, which is the leak that these tests are for, shifts it by a whole one. The noise of a median
of 100 differences of requests that take tens of milliseconds is a tenth of that.
"""

import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from shared.service import Service
from tests.service.auth.conftest import PASSWORD, MovableClock, Person, Sent, token_in
from tests.support.second_factors import enrol_app

PAIRS = 100


def without_trace(answer: httpx.Response) -> tuple[int, dict[str, Any]]:
    """What an answer says, but for what is new in each."""
    document: dict[str, Any] = answer.json()
    return answer.status_code, {**document, "trace_id": "", "id": "", "created_at": ""}


async def test_answers_tell_nothing(client: httpx.AsyncClient, amina: Person) -> None:
    async def both(path: str, **body: Any) -> tuple[httpx.Response, httpx.Response]:
        known = await client.post(path, json={"email": amina.email, **body})
        unknown = await client.post(path, json={"email": "nobody@example.com", **body})
        return known, unknown

    known, unknown = await both("/v1/auth/login", password="guess, and a wrong one")
    assert without_trace(known) == without_trace(unknown)
    known, unknown = await both("/v1/auth/password/forgot")
    assert without_trace(known) == without_trace(unknown)
    known, unknown = await both("/v1/auth/register", password=PASSWORD, full_name="Amina Wanjiru")
    assert without_trace(known) == (201, without_trace(unknown)[1] | {"email": amina.email})
    assert set(known.headers) == set(unknown.headers)


async def test_a_second_factor_shows_only_after_the_password(
    client: httpx.AsyncClient, amina: Person, baraka: Person, clock: MovableClock
) -> None:
    await enrol_app(client, amina.headers, clock)
    with_factor = await client.post("/v1/auth/login", json={"email": amina.email, "password": "guess, and a wrong one"})
    without = await client.post("/v1/auth/login", json={"email": baraka.email, "password": "guess, and a wrong one"})
    assert without_trace(with_factor) == without_trace(without)


async def test_passkey_options_are_the_same_for_everybody(client: httpx.AsyncClient, amina: Person) -> None:
    """They are given before anybody says who they are, so they cannot tell who has a passkey."""
    answer = await client.post("/v1/auth/passkeys/login/options", json={"email": amina.email})
    options = answer.json()["options"]
    assert not options.get("allowCredentials")


@pytest.fixture
def settings_changes(request: pytest.FixtureRequest) -> dict[str, Any]:
    if "take_as_long" not in request.node.name:
        return {}
    endless = dict.fromkeys(("auth_account_failures", "auth_account_failures_everywhere", "auth_address_failures"), 1000000)
    return {**endless, "auth_hash_memory_kib": 19_456, "auth_hash_rounds": 2, "auth_quiet_seconds": 0.1}


Attempt = Callable[[str], Awaitable[httpx.Response]]


async def shift_seconds(attempt: Attempt, known: Callable[[int], str], unknown: Callable[[int], str]) -> float:
    """The median of how much longer a try for somebody takes than one for nobody."""

    async def timed(subject: str) -> float:
        start = time.perf_counter()
        await attempt(subject)
        return time.perf_counter() - start

    for number in range(3):  # connections and caches
        await timed(known(1_000 + number))
        await timed(unknown(1_000 + number))
    differences = []
    for number in range(PAIRS):
        first, second = (known, unknown) if number % 2 else (unknown, known)
        times = {first: await timed(first(number)), second: await timed(second(number))}
        differences.append(times[known] - times[unknown])
    return statistics.median(differences)


async def hash_seconds(service: Service) -> float:
    """What one password hash costs on this machine, now."""
    times = []
    for _ in range(9):
        start = time.perf_counter()
        await service.context.passwords.hash(PASSWORD)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


@pytest.mark.slow
@pytest.mark.parametrize("flow", ["login", "register", "recovery", "reset"])
async def test_somebody_and_nobody_take_as_long(
    client: httpx.AsyncClient, service: Service, amina: Person, sent: Sent, flow: str
) -> None:
    attempt, known, unknown = await _flow(client, amina, sent, flow)
    before = await hash_seconds(service)
    shift = await shift_seconds(attempt, known, unknown)
    bound = 0.5 * min(before, await hash_seconds(service))
    assert abs(shift) < bound, f"{flow}: {shift * 1000:.1f} ms apart, a hash takes {bound * 2000:.1f} ms"


async def _flow(
    client: httpx.AsyncClient, amina: Person, sent: Sent, flow: str
) -> tuple[Attempt, Callable[[int], str], Callable[[int], str]]:
    def post(path: str, field: str, **body: Any) -> Attempt:
        return lambda subject: client.post(path, json={field: subject, **body})

    def nobody(number: int) -> str:
        return f"nobody{number}@example.com"

    def somebody(number: int) -> str:
        return amina.email

    match flow:
        case "login":
            return post("/v1/auth/login", "email", password="guess, and a wrong one"), somebody, nobody
        case "register":
            body = {"password": PASSWORD, "full_name": "Amina Wanjiru"}
            return post("/v1/auth/register", "email", **body), somebody, nobody
        case "recovery":
            return post("/v1/auth/password/forgot", "email"), somebody, nobody
        case _:
            link = next(mail for mail in await sent("notifications.email.send") if mail["template"] == "verify_email")
            await client.post("/v1/auth/password/forgot", json={"email": amina.email})
            mail = next(mail for mail in await sent("notifications.email.send") if mail["template"] == "password_reset")
            used = token_in(mail)
            body = {"new_password": "another fine secret"}
            assert (await client.post("/v1/auth/password/reset", json={"token": used, **body})).status_code == 204
            made_up = token_in(link)[::-1]
            return post("/v1/auth/password/reset", "token", **body), lambda number: used, lambda number: made_up
