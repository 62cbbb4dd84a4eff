"""Other sites' pages that use a browser's cookies, on every route there is: generated from the gateway's table."""

import re
from typing import Any

import httpx
import pytest

from gateway.routes import BUSINESS
from shared.identity.cookies import csrf_digest
from shared.ids import new_id
from tests.service.gateway.conftest import Gateway, StartGateway
from tests.service.gateway.upstream import EchoUpstream
from tests.support.identity import access_token

OWN = "http://lendery.test:8000"
CSRF = "the csrf token of this session"
ANOTHER = "the csrf token of another session"
UNSAFE = [(method, route) for route in BUSINESS for method in sorted(route.methods - {"GET"})]
BEHIND_A_LOGIN = [(method, route.pattern) for method, route in UNSAFE if not route.public]
WAYS_IN = [(method, route.pattern) for method, route in UNSAFE if route.public and route.cookies]


def address(pattern: str) -> str:
    return re.sub(r"\{[^}]*\}", str(new_id()), pattern).replace("*", "x")


def cookie(**claims: Any) -> dict[str, str]:
    token = access_token(new_id(), roles=("user", "support", "admin"), **{"csrf": csrf_digest(CSRF), **claims})
    return {"Cookie": f"theme=dark; lendery_access={token}", "Idempotency-Key": "k"}


async def refusals(http: httpx.AsyncClient, routes: list[tuple[str, str]], headers: dict[str, str]) -> list[str]:
    """The routes that did not refuse."""
    passed = []
    for method, pattern in routes:
        answer = await http.request(method, address(pattern), headers=headers)
        if (answer.status_code, answer.json().get("code")) != (403, "csrf_failed"):
            passed.append(f"{method} {pattern}: {answer.status_code} {answer.text}")
    return passed


def test_the_routes_that_matter_are_tried() -> None:
    assert len(BEHIND_A_LOGIN) > 60
    assert {"/v1/auth/login", "/v1/auth/register", "/v1/auth/refresh", "/v1/auth/logout", "/v1/auth/pages/*"} <= {
        pattern for _, pattern in WAYS_IN
    }


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": ANOTHER},
        {"X-CSRF-Token": csrf_digest(CSRF)},
        {"X-CSRF-Token": CSRF, "Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"X-CSRF-Token": CSRF, "Sec-Fetch-Site": "same-site", "Origin": "http://other.lendery.test:8000"},
        {"X-CSRF-Token": CSRF, "Origin": "https://evil.example"},
        {"X-CSRF-Token": CSRF, "Origin": "null"},
    ],
    ids=["none", "empty", "another_sessions", "the_digest", "cross_site", "same_site", "old_browser", "sandboxed_frame"],
)
async def test_csrf_on_every_unsafe_route(gateway: Gateway, upstream: EchoUpstream, headers: dict[str, str]) -> None:
    assert await refusals(gateway.http, BEHIND_A_LOGIN, cookie() | headers) == []
    assert upstream.seen == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Origin": OWN},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://other.lendery.test:8000"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": OWN + ".evil.example"},
    ],
)
@pytest.mark.parametrize("session", [True, False], ids=["logged_in", "logged_out"])
async def test_csrf_on_login_and_the_other_ways_in(
    gateway: Gateway, upstream: EchoUpstream, headers: dict[str, str], session: bool
) -> None:
    cookies = cookie() | {"X-CSRF-Token": CSRF} if session else {}
    assert await refusals(gateway.http, WAYS_IN, cookies | headers | {"X-Session-Mode": "cookie"}) == []
    assert upstream.seen == []


@pytest.mark.parametrize("sender", [{"Sec-Fetch-Site": "same-origin", "Origin": OWN}, {"Origin": OWN}, {}])
async def test_our_own_pages_may(gateway: Gateway, upstream: EchoUpstream, sender: dict[str, str]) -> None:
    headers = cookie() | {"X-CSRF-Token": CSRF} | sender
    for method, pattern in (*BEHIND_A_LOGIN, *WAYS_IN):
        answer = await gateway.http.request(method, address(pattern), headers=headers)
        assert answer.status_code == 200, (method, pattern, answer.text)
        (seen,) = upstream.seen
        token = headers["Cookie"].partition("lendery_access=")[2]
        assert seen.header("authorization") == [f"Bearer {token}"]
        if not any(route.cookies for _, route in UNSAFE if route.pattern == pattern):
            assert not seen.header("cookie"), pattern
        upstream.seen.clear()


async def test_reading_needs_no_csrf_token(gateway: Gateway, upstream: EchoUpstream) -> None:
    assert (await gateway.http.get("/v1/wallets", headers=cookie())).status_code == 200
    assert upstream.seen[0].header("authorization")


async def test_a_bearer_token_is_no_cookies_business(gateway: Gateway, upstream: EchoUpstream) -> None:
    """Apps send no CSRF token; and what a browser also has in its cookies does not count."""
    app = {"Authorization": f"Bearer {access_token(new_id())}", "Idempotency-Key": "k"}
    assert (await gateway.http.post("/v1/transfers", headers=app | {"Cookie": cookie()["Cookie"]})).status_code == 200
    assert upstream.seen[0].header("authorization") == [app["Authorization"]]
    assert not upstream.seen[0].header("cookie")


async def test_a_bearer_token_planted_as_a_cookie(gateway: Gateway, upstream: EchoUpstream) -> None:
    """It has no CSRF token of its own, so it would need none: it is not taken at all."""
    for method in ("GET", "POST"):
        answer = await gateway.http.request(method, "/v1/wallets", headers=cookie(csrf=None) | {"X-CSRF-Token": CSRF})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert upstream.seen == []


async def test_two_session_cookies_are_none(gateway: Gateway, upstream: EchoUpstream) -> None:
    """One of them was put there by another host of the domain; nobody knows which."""
    twice = f"{cookie()['Cookie']}; {cookie()['Cookie']}"
    answer = await gateway.http.get("/v1/wallets", headers={"Cookie": twice})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert upstream.seen == []


async def test_an_open_route_does_not_see_a_session_without_its_csrf_token(gateway: Gateway, upstream: EchoUpstream) -> None:
    for headers, seen in ((cookie(), []), (cookie() | {"X-CSRF-Token": CSRF}, ["authorization"])):
        assert (await gateway.http.post("/v1/auth/logout", headers=headers)).status_code == 200
        assert [name for name, _ in upstream.seen[-1].headers if name == "authorization"] == seen


async def test_named_origins_may_and_the_names_are_host_bound_over_tls(
    start_gateway: StartGateway, upstream: EchoUpstream
) -> None:
    async with start_gateway(public_url="https://lendery.example", cors_origins="https://app.lendery.example") as gateway:
        insecure = cookie() | {"X-CSRF-Token": CSRF}
        secure = insecure | {"Cookie": insecure["Cookie"].replace("lendery_access", "__Host-lendery_access")}
        assert (await gateway.http.post("/v1/wallets", headers=insecure)).status_code == 401
        for origin, status in (("https://app.lendery.example", 200), ("https://lendery.example.evil.example", 403)):
            sender = {"Sec-Fetch-Site": "same-site", "Origin": origin}
            assert (await gateway.http.post("/v1/wallets", headers=secure | sender)).status_code == status, origin
