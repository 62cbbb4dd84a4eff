"""API clients of partners, and the tokens that they get."""

import base64
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from services.auth.domain.links import hash_of
from shared.identity.jwks import TokenVerifier
from shared.service import Service
from tests.service.auth.conftest import MovableClock, Person, Sent, problem

CLIENTS = "/v1/api-clients"
SCOPES = ["transfers:write", "wallets:read"]


async def make(client: httpx.AsyncClient, person: Person, **fields: Any) -> dict[str, Any]:
    body = {"name": "Accounting", "scopes": SCOPES, **fields}
    answer = await client.post(CLIENTS, json=body, headers=person.headers)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def ask(client: httpx.AsyncClient, made: dict[str, Any], **fields: str) -> httpx.Response:
    form = {
        "grant_type": "client_credentials",
        "client_id": made["client_id"],
        "client_secret": made["client_secret"],
        **fields,
    }
    return await client.post("/v1/auth/token", data=form)


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Status and error as RFC 6749 says."""
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["error_description"]
    assert ("basic" in answer.headers.get("www-authenticate", "").lower()) == (answer.status_code == 401)
    return answer.status_code, answer.json()["error"]


async def test_a_secret_is_shown_once_and_kept_as_a_hash(
    client: httpx.AsyncClient, amina: Person, owner: asyncpg.Connection
) -> None:
    made = await make(client, amina, requests_per_minute=120)
    assert made["client_secret"].startswith("lcs_")
    assert made["scopes"] == SCOPES
    row = await owner.fetchrow("SELECT * FROM auth.api_clients")
    assert row["secret_hash"] == hash_of(made["client_secret"])
    (listed,) = (await client.get(CLIENTS, headers=amina.headers)).json()["items"]
    one = (await client.get(f"{CLIENTS}/{made['id']}", headers=amina.headers)).json()
    assert listed == one == {name: value for name, value in made.items() if name != "client_secret"}
    audited = await owner.fetchval("SELECT string_agg(after::text, '') FROM auth.audit_log WHERE action LIKE 'api_client.%'")
    assert made["client_secret"] not in audited


async def test_a_token_says_who_owns_the_client_and_what_it_may(
    client: httpx.AsyncClient, service: Service, amina: Person, owner: asyncpg.Connection
) -> None:
    made = await make(client, amina, requests_per_minute=120)
    answer = await ask(client, made)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    token = answer.json()
    assert token.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert (token["token_type"], token["scope"]) == ("Bearer", " ".join(SCOPES))
    principal = await service.app.state.authenticator.verify(token["access_token"])
    assert principal.user_id == amina.id
    assert principal.roles == {"partner"}
    assert principal.scopes == set(SCOPES)
    assert principal.client_id == UUID(made["id"])
    assert principal.session_id is None
    assert principal.requests_per_minute == 120
    assert principal.is_api_client
    shown = (await client.get(f"/v1/api-clients/{made['id']}", headers=amina.headers)).json()
    assert (shown["last_used_at"] is not None, shown["last_used_address"]) == (True, "203.0.113.7")
    assert b"203.0.113.7" not in await owner.fetchval("SELECT last_used_address FROM auth.api_clients")
    assert await owner.fetchval("SELECT count(*) FROM auth.sessions WHERE user_id = $1", amina.id) == 1


async def test_basic_credentials_and_some_of_the_scopes(client: httpx.AsyncClient, amina: Person) -> None:
    made = await make(client, amina)
    answer = await client.post(
        "/v1/auth/token",
        data={"grant_type": "client_credentials", "scope": "wallets:read"},
        auth=(made["client_id"], made["client_secret"]),
    )
    assert answer.status_code == 200
    assert answer.json()["scope"] == "wallets:read"


async def test_failures_are_those_of_rfc_6749(client: httpx.AsyncClient, amina: Person) -> None:
    made = await make(client, amina)
    assert refused(await ask(client, made, client_secret="lcs_wrong")) == (401, "invalid_client")
    assert refused(await ask(client, made, client_id=str(uuid4()))) == (401, "invalid_client")
    assert refused(await ask(client, made, client_id="nobody")) == (401, "invalid_client")
    assert refused(await ask(client, made, scope="loans:read")) == (400, "invalid_scope")
    assert refused(await ask(client, made, scope="admin")) == (400, "invalid_scope")
    assert refused(await ask(client, made, grant_type="password")) == (400, "unsupported_grant_type")
    assert refused(await ask(client, made, grant_type="")) == (400, "invalid_request")
    assert refused(await ask(client, made, client_secret="")) == (401, "invalid_client")
    assert refused(await ask(client, made, client_secret="a\x00b")) == (400, "invalid_request")
    twice = f"grant_type=client_credentials&grant_type=client_credentials&client_id={made['id']}"
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert refused(await client.post("/v1/auth/token", content=twice, headers=form)) == (400, "invalid_request")
    assert refused(await client.post("/v1/auth/token", json={"grant_type": "client_credentials"})) == (400, "invalid_request")
    both = await client.post(
        "/v1/auth/token",
        data={"grant_type": "client_credentials", "client_secret": made["client_secret"]},
        auth=(made["client_id"], made["client_secret"]),
    )
    assert refused(both) == (400, "invalid_request")
    for header in ("Basic !", "Basic " + base64.b64encode(b"no colon").decode(), "Bearer x", "Basic /w=="):
        answer = await client.post("/v1/auth/token", data={"grant_type": "client_credentials"}, headers={"authorization": header})
        assert refused(answer) == (401, "invalid_client")


async def test_after_a_rotation_the_old_secret_works_for_the_overlap_only(
    client: httpx.AsyncClient, amina: Person, clock: MovableClock
) -> None:
    made = await make(client, amina)
    answer = await client.post(f"{CLIENTS}/{made['id']}/rotate-secret", json={"overlap_seconds": 60}, headers=amina.headers)
    assert answer.status_code == 200
    new = answer.json()
    assert new["client_secret"] != made["client_secret"]
    assert (await ask(client, made)).status_code == 200
    assert (await ask(client, new)).status_code == 200
    clock.ahead = timedelta(seconds=61)
    assert refused(await ask(client, made)) == (401, "invalid_client")
    assert (await ask(client, new)).status_code == 200


async def test_a_leaked_secret_is_replaced_at_once_and_its_tokens_end(
    client: httpx.AsyncClient, amina: Person, sent: Sent, owner: asyncpg.Connection
) -> None:
    made = await make(client, amina)
    grant = await owner.fetchval("SELECT grant_id FROM auth.api_clients")
    url = f"{CLIENTS}/{made['id']}/rotate-secret"
    assert (await client.post(url, json={"overlap_seconds": 0}, headers=amina.headers)).status_code == 200
    assert refused(await ask(client, made)) == (401, "invalid_client")
    (event,) = await sent("auth.session.ended")
    assert event["session_ids"] == [str(grant)]


async def test_a_disabled_client_gets_no_tokens_until_it_is_enabled(
    client: httpx.AsyncClient, service: Service, amina: Person, sent: Sent
) -> None:
    made = await make(client, amina)
    url = f"{CLIENTS}/{made['id']}"
    token = (await ask(client, made)).json()["access_token"]
    verifier = TokenVerifier("http://127.0.0.1:1/unused", service.app.state.authenticator._verifier._rules)
    disabled = await client.patch(url, json={"status": "disabled"}, headers=amina.headers)
    assert disabled.json()["status"] == "disabled"
    assert refused(await ask(client, made)) == (401, "invalid_client")
    principal = await service.app.state.authenticator.verify(token)
    (event,) = await sent("auth.session.ended")
    assert event["session_ids"] == [str(principal.lives_by)]
    verifier.revocations.end_sessions([principal.grant_id], 4e9)
    assert verifier.revocations.session_ended(principal.lives_by)
    assert (await client.patch(url, json={"status": "active"}, headers=amina.headers)).status_code == 200
    again = await service.app.state.authenticator.verify((await ask(client, made)).json()["access_token"])
    assert not verifier.revocations.session_ended(again.lives_by)


async def test_taking_a_scope_ends_the_tokens_that_have_it(client: httpx.AsyncClient, amina: Person, sent: Sent) -> None:
    made = await make(client, amina)
    url = f"{CLIENTS}/{made['id']}"
    await client.patch(url, json={"name": "Other", "scopes": [*SCOPES, "loans:read"]}, headers=amina.headers)
    assert not await sent("auth.session.ended")
    changed = await client.patch(url, json={"scopes": ["wallets:read"]}, headers=amina.headers)
    assert changed.json()["scopes"] == ["wallets:read"]
    assert len(await sent("auth.session.ended")) == 1
    assert refused(await ask(client, made, scope="transfers:write")) == (400, "invalid_scope")


async def test_an_end_is_kept(client: httpx.AsyncClient, amina: Person, clock: MovableClock) -> None:
    past = await client.post(
        CLIENTS, json={"name": "Late", "scopes": SCOPES, "expires_at": "2020-01-01T00:00:00Z"}, headers=amina.headers
    )
    assert problem(past) == (422, "validation_error")
    soon = (clock.now() + timedelta(minutes=5)).isoformat()
    made = await make(client, amina, expires_at=soon)
    assert (await ask(client, made)).json()["expires_in"] <= 300
    clock.ahead = timedelta(minutes=6)
    assert refused(await ask(client, made)) == (401, "invalid_client")


async def test_a_deleted_client_is_gone(client: httpx.AsyncClient, amina: Person, sent: Sent) -> None:
    made = await make(client, amina)
    url = f"{CLIENTS}/{made['id']}"
    assert (await client.delete(url, headers=amina.headers)).status_code == 204
    assert refused(await ask(client, made)) == (401, "invalid_client")
    assert len(await sent("auth.session.ended")) == 1
    assert problem(await client.delete(url, headers=amina.headers)) == (404, "api_client_not_found")


async def test_a_suspended_owners_clients_stop_too(
    client: httpx.AsyncClient, service: Service, admin: Person, amina: Person, sent: Sent
) -> None:
    made = await make(client, amina)
    before = await service.app.state.authenticator.verify((await ask(client, made)).json()["access_token"])
    url = f"/v1/admin/users/{amina.id}"
    assert (await client.patch(url, json={"status": "suspended"}, headers=admin.headers)).status_code == 200
    assert refused(await ask(client, made)) == (401, "invalid_client")
    ended = {session for event in await sent("auth.session.ended") for session in event["session_ids"]}
    assert str(before.grant_id) in ended
    assert (await client.patch(url, json={"status": "active"}, headers=admin.headers)).status_code == 200
    after = await service.app.state.authenticator.verify((await ask(client, made)).json()["access_token"])
    assert str(after.grant_id) not in ended


async def test_other_peoples_clients_are_not_there(client: httpx.AsyncClient, amina: Person, baraka: Person) -> None:
    made = await make(client, amina)
    url = f"{CLIENTS}/{made['id']}"
    for answer in (
        await client.get(url, headers=baraka.headers),
        await client.patch(url, json={"status": "disabled"}, headers=baraka.headers),
        await client.post(f"{url}/rotate-secret", headers=baraka.headers),
        await client.delete(url, headers=baraka.headers),
    ):
        assert problem(answer) == (404, "api_client_not_found")
    assert (await client.get(CLIENTS, headers=baraka.headers)).json()["items"] == []
    assert (await ask(client, made)).status_code == 200


async def test_an_api_client_is_not_a_person(client: httpx.AsyncClient, amina: Person) -> None:
    made = await make(client, amina)
    partner = {"Authorization": f"Bearer {(await ask(client, made)).json()['access_token']}"}
    assert (await client.get(CLIENTS, headers=partner)).status_code in (401, 403)
    assert (await client.get("/v1/me", headers=partner)).status_code in (401, 403)
    body = {"name": "More", "scopes": ["loans:write"]}
    assert (await client.post(CLIENTS, json=body, headers=partner)).status_code in (401, 403)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "x", "scopes": ["everything"]}, "scope_not_allowed"),
        ({"name": "x", "scopes": ["admin"]}, "scope_not_allowed"),
        ({"name": "x", "scopes": []}, "validation_error"),
        ({"name": "", "scopes": SCOPES}, "validation_error"),
        ({"name": "x", "scopes": SCOPES, "requests_per_minute": 0}, "validation_error"),
        ({"name": "x", "scopes": SCOPES, "owner_id": str(uuid4())}, "validation_error"),
        ({"name": "x", "scopes": SCOPES, "client_secret": "mine"}, "validation_error"),
        ({"name": "x", "scopes": SCOPES, "roles": ["admin"]}, "validation_error"),
    ],
)
async def test_bad_clients(client: httpx.AsyncClient, amina: Person, body: dict[str, Any], code: str) -> None:
    assert problem(await client.post(CLIENTS, json=body, headers=amina.headers)) == (422, code)


async def test_an_operator_without_the_role_user_gives_no_users_rights(
    client: httpx.AsyncClient, amina: Person, owner: asyncpg.Connection
) -> None:
    await owner.execute("UPDATE auth.users SET roles = ARRAY['support'] WHERE id = $1", amina.id)
    answer = await client.post(CLIENTS, json={"name": "x", "scopes": SCOPES}, headers=amina.headers)
    assert problem(answer) == (422, "scope_not_allowed")


class TestLimits:
    @pytest.fixture
    def settings_changes(self) -> dict[str, Any]:
        return {"auth_api_clients_max": 1}

    async def test_one_person_has_only_so_many(self, client: httpx.AsyncClient, amina: Person) -> None:
        await make(client, amina)
        answer = await client.post(CLIENTS, json={"name": "x", "scopes": SCOPES}, headers=amina.headers)
        assert problem(answer) == (409, "too_many_api_clients")


async def test_making_one_needs_a_fresh_login(client: httpx.AsyncClient, amina: Person, owner: asyncpg.Connection) -> None:
    made = await make(client, amina)
    await owner.execute("UPDATE auth.sessions SET authenticated_at = authenticated_at - interval '11 minutes'")
    tokens = (await client.post("/v1/auth/refresh", json={"refresh_token": amina.tokens["refresh_token"]})).json()
    stale = {"Authorization": f"Bearer {tokens['access_token']}"}
    url = f"{CLIENTS}/{made['id']}"
    for answer in (
        await client.post(CLIENTS, json={"name": "x", "scopes": SCOPES}, headers=stale),
        await client.patch(url, json={"status": "disabled"}, headers=stale),
        await client.post(f"{url}/rotate-secret", headers=stale),
        await client.delete(url, headers=stale),
    ):
        assert problem(answer) == (401, "step_up_required")
    assert (await client.get(url, headers=stale)).status_code == 200
