"""Attacks by the name that a client calls us by, through the real gateway to the real auth service: links in e-mails, redirects,
cookies and the way back from a provider of identities lead where the configuration says, and nowhere else.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from gateway.main import build
from gateway.settings import Settings
from shared.service import Service
from tests.service.auth.conftest import PASSWORD, Sent
from tests.service.auth.test_sign_on import CALLBACK, OAUTH, query
from tests.service.gateway.conftest import SERVICES, serving
from tests.support.identity import platform_for_tests
from tests.support.openid_provider import CLIENT_ID, CLIENT_SECRET, running_provider, sign_on

pytestmark = pytest.mark.xdist_group("openid provider")

OURS = "http://localhost:8000"
SPOOFED: list[dict[str, str]] = [
    {"Host": "evil.example"},
    {"Host": "localhost:8000.evil.example"},
    {"Host": "localhost:8000@evil.example"},
    {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "81"},
    {"X-Forwarded-Host": "localhost:8000, evil.example", "X-Forwarded-Prefix": "/evil.example", "X-Forwarded-For": "6.6.6.6"},
    {"X_Forwarded_Host": "evil.example", "X-Host": "evil.example", "X-Forwarded-Server": "evil.example"},
    {"Forwarded": "for=6.6.6.6;host=evil.example;proto=https", "Via": "1.1 evil.example"},
    {"X-Original-URL": "http://evil.example/", "X-Rewrite-URL": "//evil.example/", "Referer": "http://evil.example/"},
]


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_provider(CALLBACK, tmp_path_factory.mktemp("provider") / "provider.log") as url:
        yield url


@pytest.fixture
def settings_changes(issuer: str) -> dict[str, Any]:
    provider = {"name": "acme", "label": "Acme", "issuer": issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    return {"public_url": OURS, "auth_openid_providers": (provider,)}


@pytest.fixture
async def edge(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a gateway before the auth service."""
    async with serving(service.app) as auth:
        urls = {f"{name}_url": auth.url for name in SERVICES}
        app = build(Settings(**{"redis_url": None, "public_url": OURS, **urls}), platform_for_tests())
        async with serving(app) as running, httpx.AsyncClient(base_url=running.url, timeout=30, trust_env=False) as http:
            yield http


def _clean(answer: httpx.Response) -> None:
    assert "evil" not in answer.text
    assert "evil" not in str(answer.headers)
    assert "6.6.6.6" not in str(answer.headers)
    for cookie in answer.headers.get_list("set-cookie"):
        assert "domain=" not in cookie.lower(), cookie


async def test_links_in_letters(edge: httpx.AsyncClient, sent: Sent) -> None:
    for number, headers in enumerate(SPOOFED):
        body = {"email": f"victim{number}@example.com", "password": PASSWORD, "full_name": "A Victim"}
        for path, given, status in (
            ("/v1/auth/register", body, 201),
            ("/v1/auth/register", body, 201),
            ("/v1/auth/password/forgot", {"email": body["email"]}, 202),
        ):
            answer = await edge.post(path, json=given, headers=headers)
            assert answer.status_code == status, answer.text
            _clean(answer)
    mails = await sent("notifications.email.send")
    assert "evil" not in str(mails)
    links = [mail["data"]["link"] for mail in mails if "link" in mail["data"]]
    assert len(links) >= 3 * len(SPOOFED)
    assert {urlsplit(link)[:2] for link in links} == {urlsplit(OURS)[:2]}


async def test_cookies_and_pages(edge: httpx.AsyncClient) -> None:
    body = {"email": "victim@example.com", "password": PASSWORD, "full_name": "A Victim"}
    assert (await edge.post("/v1/auth/register", json=body)).status_code == 201
    for headers in SPOOFED:
        given = {"email": body["email"], "password": PASSWORD}
        answer = await edge.post("/v1/auth/login", json=given, headers={**headers, "X-Session-Mode": "cookie"})
        assert answer.status_code == 200, answer.text
        assert len(answer.headers.get_list("set-cookie")) == 3
        _clean(answer)
        edge.cookies.clear()
        _clean(await edge.get("/v1/auth/pages/verify-email?token=x", headers=headers))


async def test_the_way_to_a_provider_and_back(edge: httpx.AsyncClient, issuer: str) -> None:
    for headers in SPOOFED:
        there = await edge.get(f"{OAUTH}/acme/authorize", headers=headers)
        assert there.status_code == 303, there.text
        _clean(there)
        address = there.headers["location"]
        assert address.startswith(f"{issuer}/")
        assert query(address)["redirect_uri"] == CALLBACK
        back = await sign_on(address, "amina", CALLBACK)
        assert back.startswith(f"{CALLBACK}?")
        for way in (back.removeprefix(OURS), f"{OAUTH}/acme/callback?error=access_denied&state=forged"):
            answer = await edge.get(way, headers=headers)
            _clean(answer)
            assert answer.headers.get("location", f"{OURS}/").startswith(f"{OURS}/")
        edge.cookies.clear()
    elsewhere = await edge.get(f"{OAUTH}/acme/authorize?return_to=//evil.example/", headers={"Host": "evil.example"})
    assert "location" not in elsewhere.headers
