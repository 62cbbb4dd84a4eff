"""The cookies of a session: who can read them, where they go, and that nobody can choose somebody else's session."""

from http.cookies import Morsel, SimpleCookie
from typing import Any

import httpx
import pytest

from tests.service.auth.conftest import PASSWORD, Person, problem
from tests.service.auth.test_login import claims_of

MODE = {"X-Session-Mode": "cookie"}
NAMES = ("lendery_access", "lendery_refresh", "lendery_csrf")


def set_cookies(answer: httpx.Response) -> dict[str, Morsel[str]]:
    found: dict[str, Morsel[str]] = {}
    for header in answer.headers.get_list("set-cookie"):
        found.update(SimpleCookie(header))
    return found


async def log_in(client: httpx.AsyncClient, person: Person, **headers: str) -> httpx.Response:
    answer = await client.post("/v1/auth/login", json={"email": person.email, "password": PASSWORD}, headers=MODE | headers)
    assert answer.status_code == 200, answer.text
    return answer


async def test_cookie_flags(client: httpx.AsyncClient, amina: Person) -> None:
    answer = await log_in(client, amina)
    cookies = set_cookies(answer)
    assert set(cookies) == set(NAMES)
    for name, cookie in cookies.items():
        assert cookie["path"] == "/", name
        assert cookie["samesite"] == "strict", name
        assert not cookie["domain"], name
        assert 0 < int(cookie["max-age"]) <= 90 * 86400, name
        assert bool(cookie["httponly"]) == (name != "lendery_csrf"), name
        assert not cookie["secure"], "a laptop has no TLS"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("settings_changes", [{"public_url": "https://lendery.example"}])
async def test_cookie_flags_over_tls(client: httpx.AsyncClient, amina: Person) -> None:
    cookies = set_cookies(await log_in(client, amina))
    assert set(cookies) == {f"__Host-{name}" for name in NAMES}
    for name, cookie in cookies.items():
        assert cookie["secure"], name
        assert (cookie["path"], cookie["domain"]) == ("/", ""), "__Host- asks for it"


async def test_the_answer_has_no_token_that_a_script_could_read(client: httpx.AsyncClient, amina: Person) -> None:
    answer = await log_in(client, amina)
    cookies = set_cookies(answer)
    assert set(answer.json()) == {"token_type", "csrf_token", "expires_in"}
    assert answer.json()["csrf_token"] == cookies["lendery_csrf"].value
    for name in ("lendery_access", "lendery_refresh"):
        assert cookies[name].value not in answer.text


@pytest.mark.parametrize("mode", [{}, {"X-Session-Mode": "bearer"}, {"X-Session-Mode": "Cookie"}, {"Cookie": "mode=cookie"}])
async def test_cookies_are_only_for_who_asks(client: httpx.AsyncClient, amina: Person, mode: dict[str, str]) -> None:
    """A form of another site cannot send `X-Session-Mode`, so it cannot put anybody into its own account."""
    credentials = {"email": amina.email, "password": PASSWORD}
    answer = await client.post("/v1/auth/login", json=credentials, headers=mode)
    assert answer.status_code == 200
    assert not set_cookies(answer)
    assert "access_token" in answer.json()


async def test_session_fixation(client: httpx.AsyncClient, amina: Person, baraka: Person) -> None:
    """Cookies that were planted before the login are replaced, and the planted session stays whose it was."""
    planted = set_cookies(await log_in(client, baraka))
    before = "; ".join(f"{name}={cookie.value}" for name, cookie in planted.items())
    client.cookies.clear()
    mine = set_cookies(await log_in(client, amina, Cookie=before))
    for name in NAMES:
        assert mine[name].value != planted[name].value
    theirs, own = (claims_of(jar["lendery_access"].value) for jar in (planted, mine))
    assert own["sid"] != theirs["sid"]
    assert (own["sub"], theirs["sub"]) == (str(amina.id), str(baraka.id))
    again = claims_of(set_cookies(await log_in(client, amina))["lendery_access"].value)
    assert again["sid"] != own["sid"], "each login opens a session of its own"


async def test_a_session_in_cookies_is_renewed_and_ended_by_them(client: httpx.AsyncClient, amina: Person) -> None:
    csrf = {"X-CSRF-Token": (await log_in(client, amina)).json()["csrf_token"]}
    first = dict(client.cookies)
    renewed = await client.post("/v1/auth/refresh", headers=csrf)
    assert renewed.status_code == 200, renewed.text
    assert renewed.json()["csrf_token"] == csrf["X-CSRF-Token"], "several tabs share it"
    assert client.cookies["lendery_refresh"] != first["lendery_refresh"]
    assert claims_of(client.cookies["lendery_access"])["sid"] == claims_of(first["lendery_access"])["sid"]
    out = await client.post("/v1/auth/logout", headers=csrf)
    assert out.status_code == 204
    assert {name: int(cookie["max-age"]) for name, cookie in set_cookies(out).items()} == dict.fromkeys(NAMES, 0)
    assert not dict(client.cookies)
    old = await client.post("/v1/auth/refresh", headers=csrf | {"Cookie": f"lendery_refresh={first['lendery_refresh']}"})
    assert old.status_code == 401


@pytest.mark.parametrize("path", ["/v1/auth/refresh", "/v1/auth/logout"])
@pytest.mark.parametrize("csrf", [None, "", "0" * 64, "of another session"])
async def test_csrf_on_refresh_and_logout_by_cookie(
    client: httpx.AsyncClient, amina: Person, baraka: Person, path: str, csrf: str | None
) -> None:
    """The access token may have expired, so the edge cannot check it: the service does, before anything changes."""
    theirs = (await log_in(client, baraka)).json()["csrf_token"]
    client.cookies.clear()
    own = (await log_in(client, amina)).json()["csrf_token"]
    before = dict(client.cookies)
    headers = {} if csrf is None else {"X-CSRF-Token": theirs if csrf == "of another session" else csrf}
    refused = await client.post(path, headers=headers)
    assert problem(refused) == (403, "csrf_failed")
    assert not set_cookies(refused)
    assert dict(client.cookies) == before
    assert (await client.post("/v1/auth/refresh", headers={"X-CSRF-Token": own})).status_code == 200


async def test_a_csrf_token_is_worth_nothing_alone(client: httpx.AsyncClient, amina: Person) -> None:
    csrf: dict[str, Any] = {"X-CSRF-Token": (await log_in(client, amina)).json()["csrf_token"]}
    client.cookies.clear()
    assert problem(await client.post("/v1/auth/logout", headers=csrf)) == (401, "unauthenticated")
    assert problem(await client.post("/v1/auth/refresh", headers=csrf)) == (422, "validation_error")
