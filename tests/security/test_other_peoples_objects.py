"""Attacks with somebody else's id, on every route of the gateway's table: whoever knows it learns and changes nothing.

The table is read, so a new route is tried from its first day. A route that has an object in its path and exists needs a
way to make that object in `MAKERS`, by the part of the path before the id, or a reason in `NOT_OBJECTS`; the test fails
without either. What no service has yet (it is not in the merged OpenAPI document) is left alone until it is there.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from gateway.routes import BUSINESS
from gateway.routing import Route
from runtime.demo.client import Json, Person
from shared.crypto import open_vault
from shared.identity.scopes import SCOPES
from shared.identity.tokens import sign_token
from tests.contract.conftest import Stage, ada, admin, bo, http, stage

__all__ = ["ada", "admin", "bo", "http", "stage"]

pytestmark = pytest.mark.xdist_group("other people's objects")  # one platform for all of these

_ID = re.compile(r"\{[a-z_]+\}")
CALLS = [(method, route) for route in BUSINESS for method in sorted(route.methods)]
PROTECTED = [(method, route) for method, route in CALLS if not route.public]

NOT_OBJECTS = {
    "/v1/auth/oauth/{provider}/link": "names a provider that everybody may use",
    "/v1/auth/mfa/{method}": "names a kind of factor; the call changes the caller's own",
    "/v1/auth/mfa/{method}/confirm": "names a kind of factor; the call changes the caller's own",
    "/v1/auth/identities/{id}": "needs a login at another provider: tests/service/auth/test_sign_on.py",
    "/v1/auth/passkeys/{id}": "needs an authenticator: tests/service/auth/test_passkeys.py",
    "/v1/invoices/{id}": "are made when a loan has been serviced; their owner is checked as a deposit's is",
    "/v1/webhook-deliveries/{id}/replay": "are made by a delivery that failed",
}


@pytest.fixture
async def tokens(stage: Stage) -> Callable[..., str]:
    """Makes access tokens with the platform's own key: whatever the auth service could have said."""
    connection = await asyncpg.connect(stage.database_url)
    row = await connection.fetchrow("SELECT id, private_key FROM auth.signing_keys WHERE retired_at IS NULL")
    await connection.close()
    vault = open_vault(stage.encryption_keys, production=False)
    private_key = vault.decrypt(row["private_key"], aad=f"auth.signing_keys.private_key:{row['id']}").decode()

    def make(user_id: UUID, *roles: str, scopes: tuple[str, ...] = ()) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {"iss": stage.platform.url, "aud": "lendery", "sub": str(user_id), "jti": str(uuid4())}
        claims |= {"iat": now, "nbf": now, "exp": now + 900, "roles": list(roles), "email_verified": True}
        if "partner" in roles:
            claims |= {"scope": " ".join(scopes), "client_id": str(uuid4())}
        else:
            claims |= {"auth_time": now, "sid": str(uuid4())}
        return sign_token(claims, private_key_pem=private_key, key_id=row["id"])

    return make


_MONEY = {"amount": 100, "wallet_id": str(uuid4())}
BODIES: dict[tuple[str, str], Json] = {
    ("POST", "/v1/loans/{id}/investments"): _MONEY,
    ("POST", "/v1/loans/{id}/repayments"): _MONEY,
    ("POST", "/v1/loans/{id}/payoff"): {"wallet_id": str(uuid4())},
    ("PATCH", "/v1/api-clients/{id}"): {"name": "Mine now"},
}
"""Sent where a body is looked at before the owner: without one the answer would be 422, and the attack was not tried."""


async def send(http: httpx.AsyncClient, method: str, route: Route, path: str, token: str | None) -> httpx.Response:
    """One call to an address of `route`."""
    headers = {"Idempotency-Key": str(uuid4())} | ({"Authorization": f"Bearer {token}"} if token else {})
    body = None if method in {"GET", "DELETE"} else BODIES.get((method, route.pattern), {})
    return await http.request(method, path, headers=headers, json=body)


def anything(pattern: str) -> str:
    """The address with ids of nothing."""
    return _ID.sub(lambda _: str(uuid4()), pattern).replace("*", "x")


async def test_without_a_token_nothing_but_public_routes_answers(http: httpx.AsyncClient) -> None:
    for method, route in PROTECTED:
        answer = await send(http, method, route, anything(route.pattern), None)
        assert answer.status_code == 401, f"{method} {route.pattern}: {answer.status_code} {answer.text}"


async def test_without_the_role_or_the_scope_every_route_is_closed(http: httpx.AsyncClient, tokens: Callable[..., str]) -> None:
    someone = uuid4()
    for method, route in PROTECTED:
        others = tuple(sorted(set(SCOPES) - {route.scope}))
        closed = {"an API client without the scope": tokens(someone, "partner", scopes=others)}
        if route.roles:
            closed["a person"] = tokens(someone, "user")
            if "support" not in route.roles:
                closed["support"] = tokens(someone, "user", "support")
        for who, token in closed.items():
            answer = await send(http, method, route, anything(route.pattern), token)
            assert answer.status_code == 403, f"{method} {route.pattern} as {who}: {answer.status_code} {answer.text}"


Maker = Callable[[Person, Person, Person], Awaitable[str]]


async def _wallet(ada: Person, bo: Person, admin: Person) -> str:
    return str((await ada.wallet("KES"))["id"])


async def _transaction(ada: Person, bo: Person, admin: Person) -> str:
    entries = (await ada.call("GET", f"/v1/wallets/{await _wallet(ada, bo, admin)}/entries"))["items"]
    return str(entries[0]["transaction_id"])


async def _deposit(ada: Person, bo: Person, admin: Person) -> str:
    return str((await ada.call("GET", "/v1/deposits"))["items"][0]["id"])


async def _withdrawal(ada: Person, bo: Person, admin: Person) -> str:
    body = {"wallet_id": await _wallet(ada, bo, admin), "amount": 100, "currency": "KES", "provider": "sandbox"}
    return str((await ada.call("POST", "/v1/withdrawals", body | {"destination": {"account": "slow-1"}}))["id"])


async def _payout_destination(ada: Person, bo: Person, admin: Person) -> str:
    body = {"provider": "sandbox", "destination": {"account": "254700000001"}}
    return str((await ada.call("POST", "/v1/payout-destinations", body))["id"])


async def _loan(ada: Person, bo: Person, admin: Person) -> str:
    body = {
        "amount": 1_000_00,
        "currency": "KES",
        "term_months": 3,
        "purpose": "test",
        "wallet_id": await _wallet(ada, bo, admin),
        "financials": {"employment_status": "employed", "annual_income": 1_000_000_00, "monthly_obligations": 0},
    }
    return str((await ada.call("POST", "/v1/loans", body))["id"])


async def _investment(ada: Person, bo: Person, admin: Person) -> str:
    loan = await _loan(bo, ada, admin)
    await admin.call("POST", f"/v1/admin/loans/{loan}/approve")
    return str((await ada.invest(loan, 100_00, "KES"))["id"])


async def _session(ada: Person, bo: Person, admin: Person) -> str:
    return str((await ada.call("GET", "/v1/auth/sessions"))["items"][0]["id"])


async def _api_client(ada: Person, bo: Person, admin: Person) -> str:
    made = await ada.call("POST", "/v1/api-clients", {"name": "Export", "scopes": ["wallets:read"]})
    return str(made.get("id") or made["client"]["id"])


MAKERS: dict[str, Maker] = {
    "/v1/wallets": _wallet,
    "/v1/transactions": _transaction,
    "/v1/deposits": _deposit,
    "/v1/withdrawals": _withdrawal,
    "/v1/payout-destinations": _payout_destination,
    "/v1/loans": _loan,
    "/v1/investments": _investment,
    "/v1/auth/sessions": _session,
    "/v1/api-clients": _api_client,
}
"""How somebody gets such an object: the owner, somebody else and the administrator are given; the id comes back."""


async def _existing(http: httpx.AsyncClient) -> list[tuple[str, Route]]:
    """The calls that name an object, are not for operators, and are there."""
    for _ in range(100):
        answer = await http.get("/openapi.json")
        if "X-Missing-Services" not in answer.headers:
            break
        await asyncio.sleep(0.2)
    assert "X-Missing-Services" not in answer.headers
    document = answer.json()
    there = {(method.upper(), _ID.sub("{}", path)) for path, item in document["paths"].items() for method in item}
    return [
        (method, route)
        for method, route in PROTECTED
        if "{" in route.pattern and not route.roles and (method, _ID.sub("{}", route.pattern)) in there
    ]


async def test_every_object_of_somebody_else_is_not_there(
    http: httpx.AsyncClient, tokens: Callable[..., str], ada: Person, bo: Person, admin: Person
) -> None:
    stranger = UUID((await bo.call("GET", "/v1/me"))["id"])
    made: dict[str, str] = {}
    forgotten, let_in = [], []
    for method, route in await _existing(http):
        if route.pattern in NOT_OBJECTS:
            continue
        collection = route.pattern.split("/{")[0]
        if collection not in MAKERS:
            forgotten.append(f"{method} {route.pattern}")
            continue
        if collection not in made:
            made[collection] = await MAKERS[collection](ada, bo, admin)
        path = _ID.sub(lambda _: str(uuid4()), route.pattern.replace(_ID.search(route.pattern)[0], made[collection], 1))  # type: ignore[index]
        callers = {"somebody else": bo.token}
        if route.scope:
            callers["somebody else's API client"] = tokens(stranger, "partner", scopes=tuple(SCOPES))
        for who, token in callers.items():
            answer = await send(http, method, route, path, token)
            if answer.status_code != 404:
                let_in.append(f"{method} {route.pattern} as {who}: {answer.status_code} {answer.text[:300]}")
    assert not forgotten, f"no way to make an object for {forgotten}: add it to MAKERS"
    assert not let_in, "\n".join(let_in)
    for collection, one in made.items():  # nothing was changed, and its owner still has it
        if collection in {"/v1/auth/sessions", "/v1/transactions"}:
            continue
        assert (await ada.send("GET", f"{collection}/{one}")).status_code == 200, collection
    assert (await ada.send("GET", "/v1/me")).status_code == 200
    assert (await ada.call("GET", f"/v1/loans/{made['/v1/loans']}"))["status"] == "submitted"


async def test_lists_hold_ones_own_things_only(http: httpx.AsyncClient, ada: Person, bo: Person, admin: Person) -> None:
    mine = {await MAKERS[collection](ada, bo, admin) for collection in ("/v1/wallets", "/v1/deposits", "/v1/withdrawals")}
    mine |= {await _api_client(ada, bo, admin), await _session(ada, bo, admin), await _loan(ada, bo, admin)}
    for method, route in PROTECTED:
        if method != "GET" or "{" in route.pattern or route.roles or route.pattern == "/v1/stream":
            continue
        answer = await send(http, method, route, route.pattern, bo.token)
        assert answer.status_code < 500, f"{route.pattern}: {answer.text}"
        assert not [one for one in mine if one in answer.text], f"{route.pattern} shows what is not the caller's"


def test_no_exception_is_left_from_routes_that_are_gone() -> None:
    patterns = {route.pattern for route in BUSINESS}
    assert set(NOT_OBJECTS) <= patterns
    assert set(MAKERS) <= {pattern.split("/{")[0] for pattern in patterns}
