"""Single sign-on, against a real OpenID provider in a process of its own."""

import base64
import hashlib
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
import pytest

from shared.service import Service
from tests.service.auth.conftest import MovableClock, Person, Sent, log_in, problem, register, token_in
from tests.support.openid_provider import CLIENT_ID, CLIENT_SECRET, running_provider, sign_on

pytestmark = pytest.mark.xdist_group("openid provider")

CALLBACK = "http://localhost:8000/v1/auth/oauth/acme/callback"
OAUTH = "/v1/auth/oauth"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_provider(CALLBACK, tmp_path_factory.mktemp("provider") / "provider.log") as url:
        yield url


@pytest.fixture
def settings_changes(issuer: str) -> dict[str, Any]:
    provider = {"name": "acme", "label": "Acme", "issuer": issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    return {"auth_openid_providers": (provider,), "auth_return_origins": "https://app.lendery.test"}


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


async def begin(client: httpx.AsyncClient, **params: str) -> str:
    answer = await client.get(f"{OAUTH}/acme/authorize", params=params)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def come_back(client: httpx.AsyncClient, address: str) -> str:
    answer = await client.get(address.removeprefix("http://localhost:8000"))
    assert answer.status_code == 303, answer.text
    assert "token" not in answer.headers["location"]
    return str(answer.headers["location"])


async def sign_on_as(client: httpx.AsyncClient, user_name: str, **params: str) -> dict[str, str]:
    """What the app finds in the address that it is opened at."""
    back = await sign_on(await begin(client, **params), user_name, CALLBACK)
    return query(await come_back(client, back))


async def exchange(client: httpx.AsyncClient, code: str, **body: str) -> httpx.Response:
    return await client.post(f"{OAUTH}/exchange", json={"code": code, **body})


def bearer(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@pytest.fixture
async def another(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """Another browser."""
    transport = httpx.ASGITransport(service.app, client=("203.0.113.8", 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://auth.internal") as http:
        yield http


async def test_the_list_of_providers(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{OAUTH}/providers")
    assert answer.json() == {"items": [{"name": "acme", "label": "Acme"}]}


async def test_a_new_person_signs_on_and_again(
    client: httpx.AsyncClient, sent: Sent, issuer: str, owner: asyncpg.Connection
) -> None:
    url = await begin(client)
    asked = query(url)
    assert url.startswith(issuer)
    assert (asked["response_type"], asked["code_challenge_method"], asked["redirect_uri"]) == ("code", "S256", CALLBACK)
    assert all(len(asked[name]) >= 43 for name in ("state", "nonce", "code_challenge"))
    found = query(await come_back(client, await sign_on(url, "amina", CALLBACK)))
    headers = bearer(await exchange(client, found["sso_code"]))
    me = (await client.get("/v1/me", headers=headers)).json()
    assert (me["email"], me["email_verified"], me["full_name"]) == ("amina@example.com", True, "Amina Wanjiru")
    event = (await sent("auth.user.registered"))[-1]
    assert (event["email"], event["email_verified"]) == ("amina@example.com", True)
    again = bearer(await exchange(client, (await sign_on_as(client, "amina"))["sso_code"]))
    assert (await client.get("/v1/me", headers=again)).json()["id"] == me["id"]
    assert (await sent("auth.user.registered"))[-1] == event
    (identity,) = (await client.get("/v1/auth/identities", headers=again)).json()["items"]
    assert (identity["provider"], identity["email"]) == ("acme", "amina@example.com")
    assert identity["last_used_at"]
    stored = await owner.fetchval("SELECT string_agg(secrets::text, '') FROM auth.sign_on_attempts")
    assert asked["nonce"].encode().hex() not in stored


async def test_where_a_person_goes_on_afterwards(client: httpx.AsyncClient) -> None:
    back = await sign_on(await begin(client, return_to="https://app.lendery.test/done?tab=1"), "amina", CALLBACK)
    address = await come_back(client, back)
    assert address.startswith("https://app.lendery.test/done?tab=1&sso_code=lsc_")


async def test_a_code_works_once_and_not_for_long(client: httpx.AsyncClient, clock: MovableClock) -> None:
    code = (await sign_on_as(client, "amina"))["sso_code"]
    secret = client.cookies["lendery_sign_on"]
    assert (await exchange(client, code)).status_code == 200
    client.cookies.set("lendery_sign_on", secret, domain="auth.internal")
    assert problem(await exchange(client, code)) == (422, "sign_on_invalid")
    late = (await sign_on_as(client, "amina"))["sso_code"]
    clock.ahead = timedelta(seconds=121)
    assert problem(await exchange(client, late)) == (422, "sign_on_invalid")


async def test_a_code_that_somebody_else_found_opens_nothing(client: httpx.AsyncClient, another: httpx.AsyncClient) -> None:
    code = (await sign_on_as(client, "amina"))["sso_code"]
    assert problem(await exchange(another, code)) == (422, "sign_on_invalid")
    assert problem(await exchange(another, code, code_verifier="x" * 43)) == (422, "sign_on_invalid")
    assert (await exchange(client, code)).status_code == 200


async def test_an_app_without_cookies_brings_its_verifier(client: httpx.AsyncClient, another: httpx.AsyncClient) -> None:
    verifier = "app-verifier-" + "v" * 40
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    code = (await sign_on_as(client, "amina", code_challenge=challenge))["sso_code"]
    assert problem(await exchange(client, code)) == (422, "sign_on_invalid")
    assert problem(await exchange(another, code, code_verifier="wrong" * 10)) == (422, "sign_on_invalid")
    assert (await exchange(another, code, code_verifier=verifier)).status_code == 200


async def test_an_address_that_the_provider_has_not_verified_makes_no_account(
    client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    before = await owner.fetchval("SELECT count(*) FROM auth.users")
    assert await sign_on_as(client, "baraka") == {"sso_error": "email_unverified"}
    assert await owner.fetchval("SELECT count(*) FROM auth.users") == before


async def verified(client: httpx.AsyncClient, sent: Sent, email: str) -> Person:
    """Somebody who has registered with a password and confirmed the address."""
    person = await register(client, email)
    mail = next(mail for mail in await sent("notifications.email.send") if mail["to"] == email)
    assert (await client.post("/v1/auth/email/verify", json={"token": token_in(mail)})).status_code == 200
    return person


async def test_an_account_that_exists_is_linked_only_when_its_owner_confirms(
    client: httpx.AsyncClient, sent: Sent, owner: asyncpg.Connection
) -> None:
    amina = await verified(client, sent, "amina@example.com")
    assert await sign_on_as(client, "amina") == {"sso_error": "confirmation_sent"}
    assert await owner.fetchval("SELECT count(*) FROM auth.identities") == 0
    mail = (await sent("notifications.email.send"))[-1]
    assert (mail["template"], mail["to"], mail["data"]["provider"]) == ("link_identity", amina.email, "Acme")
    page = await client.get(mail["data"]["link"].removeprefix("http://localhost:8000"))
    assert page.status_code == 200
    assert await owner.fetchval("SELECT count(*) FROM auth.identities") == 0
    done = await client.post("/v1/auth/pages/link-identity", data={"token": token_in(mail)})
    assert done.status_code == 200, done.text
    again = await client.post("/v1/auth/identities/confirm", json={"token": token_in(mail)})
    assert problem(again) == (422, "link_invalid")
    headers = bearer(await exchange(client, (await sign_on_as(client, "amina"))["sso_code"]))
    assert (await client.get("/v1/me", headers=headers)).json()["id"] == str(amina.id)
    assert (await sent("notifications.email.send"))[-1]["template"] == "identity_linked"
    await log_in(client, amina.email)


async def test_an_account_opened_in_somebodys_name_waits_in_vain(client: httpx.AsyncClient, sent: Sent) -> None:
    await register(client, "amina@example.com", full_name="An Impostor")
    mails = len(await sent("notifications.email.send"))
    assert await sign_on_as(client, "amina") == {"sso_error": "account_unconfirmed"}
    assert len(await sent("notifications.email.send")) == mails


async def test_linking_while_logged_in_and_unlinking(client: httpx.AsyncClient, sent: Sent, owner: asyncpg.Connection) -> None:
    person = await verified(client, sent, "njeri@example.com")
    begun = await client.post(f"{OAUTH}/acme/link", json={"return_to": "/settings"}, headers=person.headers)
    assert begun.status_code == 200
    back = await sign_on(begun.json()["authorize_url"], "amina", CALLBACK)
    assert await come_back(client, back) == "http://localhost:8000/settings?sso=linked"
    headers = bearer(await exchange(client, (await sign_on_as(client, "amina"))["sso_code"]))
    assert (await client.get("/v1/me", headers=headers)).json()["id"] == str(person.id)
    (identity,) = (await client.get("/v1/auth/identities", headers=headers)).json()["items"]
    assert (await client.delete(f"/v1/auth/identities/{identity['id']}", headers=headers)).status_code == 204
    assert (await client.get("/v1/auth/identities", headers=headers)).json()["items"] == []
    gone = await client.delete(f"/v1/auth/identities/{identity['id']}", headers=headers)
    assert problem(gone) == (404, "identity_not_found")


async def test_one_identity_opens_one_account(client: httpx.AsyncClient, sent: Sent, owner: asyncpg.Connection) -> None:
    await exchange(client, (await sign_on_as(client, "amina"))["sso_code"])
    person = await verified(client, sent, "njeri@example.com")
    begun = await client.post(f"{OAUTH}/acme/link", headers=person.headers)
    back = await sign_on(begun.json()["authorize_url"], "amina", CALLBACK)
    assert query(await come_back(client, back)) == {"sso_error": "identity_taken"}
    assert await owner.fetchval("SELECT count(*) FROM auth.identities WHERE user_id = $1", person.id) == 0


async def test_linking_needs_a_fresh_login(client: httpx.AsyncClient, amina: Person, owner: asyncpg.Connection) -> None:
    await owner.execute("UPDATE auth.sessions SET authenticated_at = authenticated_at - interval '11 minutes'")
    tokens = (await client.post("/v1/auth/refresh", json={"refresh_token": amina.tokens["refresh_token"]})).json()
    stale = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert problem(await client.post(f"{OAUTH}/acme/link", headers=stale)) == (401, "step_up_required")


async def test_an_account_without_a_password(client: httpx.AsyncClient, sent: Sent) -> None:
    headers = bearer(await exchange(client, (await sign_on_as(client, "amina"))["sso_code"]))
    refused = await client.post("/v1/auth/login", json={"email": "amina@example.com", "password": "anything at all"})
    assert problem(refused) == (401, "invalid_credentials")
    (identity,) = (await client.get("/v1/auth/identities", headers=headers)).json()["items"]
    last = await client.delete(f"/v1/auth/identities/{identity['id']}", headers=headers)
    assert problem(last) == (409, "last_way_in")
    await client.post("/v1/auth/password/forgot", json={"email": "amina@example.com"})
    mail = (await sent("notifications.email.send"))[-1]
    body = {"token": token_in(mail), "new_password": "a password of my own"}
    assert (await client.post("/v1/auth/password/reset", json=body)).status_code == 204
    tokens = await log_in(client, "amina@example.com", "a password of my own")
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await client.delete(f"/v1/auth/identities/{identity['id']}", headers=headers)).status_code == 204


@pytest.mark.parametrize("status", ["suspended", "closed"])
async def test_an_account_that_is_not_active_cannot_be_opened(
    client: httpx.AsyncClient, owner: asyncpg.Connection, status: str
) -> None:
    waiting = (await sign_on_as(client, "amina"))["sso_code"]
    await owner.execute("UPDATE auth.users SET status = $1 WHERE password_hash IS NULL", status)
    assert problem(await exchange(client, waiting)) == (403, "account_suspended")
    assert await sign_on_as(client, "amina") == {"sso_error": "account_suspended"}


async def test_a_state_works_once_in_its_own_browser_and_not_for_long(
    client: httpx.AsyncClient, another: httpx.AsyncClient, clock: MovableClock
) -> None:
    back = (await sign_on(await begin(client), "amina", CALLBACK)).removeprefix("http://localhost:8000")
    assert problem(await another.get(back)) == (422, "sign_on_invalid")
    assert (await client.get(back)).status_code == 303
    assert problem(await client.get(back)) == (422, "sign_on_invalid")
    late = (await sign_on(await begin(client), "amina", CALLBACK)).removeprefix("http://localhost:8000")
    clock.ahead = timedelta(minutes=11)
    assert problem(await client.get(late)) == (422, "sign_on_invalid")


async def test_a_provider_that_says_no(client: httpx.AsyncClient) -> None:
    state = query(await begin(client))["state"]
    back = f"{OAUTH}/acme/callback?state={state}&error=access_denied&error_description=%3Cb%3E"
    assert query(await come_back(client, back)) == {"sso_error": "access_denied"}


async def test_a_provider_that_there_is_not(client: httpx.AsyncClient) -> None:
    for path in ("nobody/authorize", "nobody/callback?state=x"):
        assert problem(await client.get(f"{OAUTH}/{path}")) == (404, "sign_on_provider_not_found")
