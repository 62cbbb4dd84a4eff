"""Bad input through the gateway: each gets the status and code of the public contract, and changes nothing."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from runtime.demo.client import Json, Person
from shared.crypto import open_vault
from shared.identity.tokens import sign_token
from shared.webhooks import HEADER, sign
from tests.contract.conftest import Stage

pytestmark = pytest.mark.xdist_group("contract")  # one platform for all of these


def problem(answer: httpx.Response, status: int, code: str) -> Json:
    """The problem document of `answer`, which must be this one."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
    assert answer.headers["content-type"].startswith("application/problem+json")
    document: Json = answer.json()
    assert document["code"] == code, document
    assert document["status"] == status
    assert document["type"].endswith(code)
    assert len(document["trace_id"]) == 32
    assert document["detail"]
    assert answer.headers["x-request-id"]
    return document


async def transfer_body(giver: Person, taker: Person, **changes: Any) -> Json:
    wallet = await giver.wallet("KES")
    body = {"from_wallet_id": wallet["id"], "to": {"email": taker.email}, "amount": 100, "currency": "KES"}
    return {name: value for name, value in (body | changes).items() if value is not ...}


async def balance(person: Person) -> int:
    return int((await person.wallet("KES"))["balance"])


async def send_raw(person: Person, path: str, text: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {person.token}", "Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
    return await person.http.post(path, content=text, headers=headers)


@pytest.mark.parametrize("path", ["/v1/transfers", "/v1/loans/quote", "/v1/deposits", "/v1/withdrawals", "/v1/kyc"])
async def test_malformed_json(someone: Person, path: str) -> None:
    problem(await send_raw(someone, path, '{"amount": 1'), 400, "malformed_body")


@pytest.mark.parametrize(
    "amount", ["0", "-5", "1.5", "1.0", '"100"', "true", "null", "NaN", "Infinity", "1e400", "10000000000000000", "[1]"]
)
async def test_amounts_that_are_none(someone: Person, another: Person, amount: str) -> None:
    before = await balance(someone)
    text = json.dumps(await transfer_body(someone, another, amount="@")).replace('"@"', amount)
    document = problem(await send_raw(someone, "/v1/transfers", text), 422, "validation_error")
    assert document["errors"][0]["field"] == "amount"
    assert await balance(someone) == before


@pytest.mark.parametrize("amount", [0, -1, 1.5, "1", 10**15 + 1, 10**16])
@pytest.mark.parametrize("path", ["/v1/deposits", "/v1/withdrawals", "/v1/loans/quote"])
async def test_amounts_elsewhere(someone: Person, path: str, amount: object) -> None:
    answer = await someone.send("POST", path, {"amount": amount, "currency": "KES"})
    document = problem(answer, 422, "validation_error")
    assert "amount" in {error["field"] for error in document["errors"]}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"surprise": 1}, "surprise"),
        ({"currency": "XXX"}, "currency"),
        ({"currency": "kes"}, "currency"),
        ({"currency": 404}, "currency"),
        ({"from_wallet_id": "not-an-id"}, "from_wallet_id"),
        ({"from_wallet_id": ...}, "from_wallet_id"),
        ({"description": "a\x00b"}, "description"),
        ({"description": ["a"]}, "description"),
    ],
)
async def test_fields_that_are_wrong(someone: Person, another: Person, changes: Json, field: str) -> None:
    before = await balance(someone)
    document = problem(
        await someone.send("POST", "/v1/transfers", await transfer_body(someone, another, **changes)), 422, "validation_error"
    )
    assert any(field in error["field"] or field in error["message"] or error["field"] == "body" for error in document["errors"])
    assert await balance(someone) == before


async def test_the_currency_must_be_the_wallets(ada: Person, bo: Person) -> None:
    body = await transfer_body(ada, bo, currency="USD")
    problem(await ada.send("POST", "/v1/transfers", body), 422, "currency_mismatch")


async def test_the_same_wallet_twice(ada: Person) -> None:
    wallet = await ada.wallet("KES")
    body = {"from_wallet_id": wallet["id"], "to": {"wallet_id": wallet["id"]}, "amount": 1, "currency": "KES"}
    problem(await ada.send("POST", "/v1/transfers", body), 422, "same_wallet")


async def test_more_than_there_is(ada: Person, bo: Person) -> None:
    before = await balance(ada)
    body = await transfer_body(ada, bo, amount=before + 1)
    problem(await ada.send("POST", "/v1/transfers", body), 409, "insufficient_funds")
    assert await balance(ada) == before


async def test_what_belongs_to_somebody_else_is_not_there(ada: Person, bo: Person, admin: Person) -> None:
    hers = (await ada.wallet("KES"))["id"]
    for rest in ("", "/entries", "/statement?from=2026-01-01&to=2026-12-31"):
        problem(await bo.send("GET", f"/v1/wallets/{hers}{rest}"), 404, "wallet_not_found")
    body = {"from_wallet_id": hers, "to": {"email": bo.email}, "amount": 1, "currency": "KES"}
    problem(await bo.send("POST", "/v1/transfers", body), 404, "wallet_not_found")
    deposit = {"wallet_id": hers, "amount": 100, "currency": "KES", "provider": "sandbox"}
    problem(await bo.send("POST", "/v1/deposits", deposit), 404, "wallet_not_found")
    withdrawal = deposit | {"destination": {"account": "1"}}
    problem(await bo.send("POST", "/v1/withdrawals", withdrawal), 404, "wallet_not_found")
    deposits = (await ada.call("GET", "/v1/deposits"))["items"]
    problem(await bo.send("GET", f"/v1/deposits/{deposits[0]['id']}"), 404, "deposit_not_found")
    loan = await apply(ada)
    for path in ("", "/schedule", "/events", "/payoff"):
        problem(await bo.send("GET", f"/v1/loans/{loan['id']}{path}"), 404, "loan_not_found")
    problem(await bo.send("POST", f"/v1/loans/{loan['id']}/cancel"), 404, "loan_not_found")
    problem(await bo.send("POST", f"/v1/admin/loans/{loan['id']}/approve"), 403, "forbidden")


async def test_somebody_elses_notification(ada: Person, bo: Person) -> None:
    notices: list[Json] = []
    for _ in range(1200):
        notices = (await ada.call("GET", "/v1/notifications"))["items"]
        if notices:
            break
        await asyncio.sleep(0.05)
    answer = await bo.send("POST", "/v1/notifications/read", {"ids": [notices[0]["id"]]})
    problem(answer, 404, "notification_not_found")
    unread = (await ada.call("GET", "/v1/notifications"))["items"]
    assert all(notice["read_at"] is None for notice in unread)


async def apply(person: Person, **changes: Any) -> Json:
    wallet = await person.wallet("KES")
    body = {
        "amount": 1_000_00,
        "currency": "KES",
        "term_months": 3,
        "purpose": "test",
        "wallet_id": wallet["id"],
        "financials": {"employment_status": "employed", "annual_income": 1_000_000_00, "monthly_obligations": 0},
    }
    return await person.call("POST", "/v1/loans", body | changes)


async def test_a_loan_that_is_closed(ada: Person, bo: Person, admin: Person) -> None:
    loan = await apply(ada)
    await admin.call("POST", f"/v1/admin/loans/{loan['id']}/approve")
    await ada.call("POST", f"/v1/loans/{loan['id']}/cancel")
    wallet = await bo.wallet("KES")
    answer = await bo.send("POST", f"/v1/loans/{loan['id']}/investments", {"amount": 100_00, "wallet_id": wallet["id"]})
    problem(answer, 409, "funding_closed")
    own = await ada.wallet("KES")
    answer = await ada.send("POST", f"/v1/loans/{loan['id']}/repayments", {"amount": 1, "wallet_id": own["id"]})
    problem(answer, 409, "wrong_loan_status")
    problem(await admin.send("POST", f"/v1/admin/loans/{loan['id']}/approve"), 409, "wrong_loan_status")
    assert (await bo.wallet("KES"))["held"] == 0


async def test_no_loan_without_an_identity_check(http: httpx.AsyncClient, admin: Person) -> None:
    person = Person(http, f"new-{uuid4().hex[:8]}@lendery.test", "a-long-test-password", "Test New")
    await person.register()
    await person.log_in()
    wallet = await person.wallet("KES")
    body = {"amount": 1_000_00, "currency": "KES", "term_months": 3, "purpose": "test", "wallet_id": wallet["id"]}
    problem(await person.send("POST", "/v1/loans", body), 403, "kyc_required")


async def test_an_expired_token_and_no_token(stage: Stage, http: httpx.AsyncClient, ada: Person) -> None:
    problem(await http.get("/v1/wallets"), 401, "unauthenticated")
    problem(await http.get("/v1/wallets", headers={"Authorization": "Bearer x.y.z"}), 401, "unauthenticated")
    me = await ada.call("GET", "/v1/me")
    token = await platform_token(stage, UUID(me["id"]), issued=int(time.time()) - 1000)
    problem(await http.get("/v1/wallets", headers={"Authorization": f"Bearer {token}"}), 401, "token_expired")
    fresh = await platform_token(stage, UUID(me["id"]), issued=int(time.time()))
    assert (await http.get("/v1/wallets", headers={"Authorization": f"Bearer {fresh}"})).status_code == 200


async def platform_token(stage: Stage, user_id: UUID, *, issued: int) -> str:
    """A token signed with the platform's own key, as the auth service would have made it at `issued`."""
    connection = await asyncpg.connect(stage.database_url)
    row = await connection.fetchrow("SELECT id, private_key FROM auth.signing_keys WHERE retired_at IS NULL")
    await connection.close()
    vault = open_vault(stage.encryption_keys, production=False)
    private_key = vault.decrypt(row["private_key"], aad=f"auth.signing_keys.private_key:{row['id']}").decode()
    claims = {"iss": stage.platform.url, "aud": "lendery", "sub": str(user_id), "jti": str(uuid4()), "roles": ["user"]}
    times = {"iat": issued, "nbf": issued, "exp": issued + 900, "auth_time": issued, "email_verified": True}
    return sign_token(claims | times, private_key_pem=private_key, key_id=row["id"])


NOBODYS = UUID(int=1)
MOVING = ["/v1/transfers", "/v1/deposits", "/v1/withdrawals", f"/v1/loans/{NOBODYS}/investments", f"/v1/loans/{NOBODYS}/payoff"]


@pytest.mark.parametrize("path", MOVING)
async def test_a_missing_key(someone: Person, path: str) -> None:
    headers = {"Authorization": f"Bearer {someone.token}"}
    problem(await someone.http.post(path, json={}, headers=headers), 400, "idempotency_key_missing")


async def test_a_reused_key_and_a_replay(ada: Person, bo: Person) -> None:
    before = await balance(ada)
    body = await transfer_body(ada, bo)
    first = await ada.send("POST", "/v1/transfers", body, key="key-one")
    again = await ada.send("POST", "/v1/transfers", body, key="key-one")
    assert first.status_code == again.status_code == 201
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    problem(await ada.send("POST", "/v1/transfers", body | {"amount": 101}, key="key-one"), 422, "idempotency_key_reused")
    assert await balance(ada) == before - 100


async def test_the_same_request_twenty_times_at_once(ada: Person, bo: Person) -> None:
    before = await balance(ada), await balance(bo)
    body = await transfer_body(ada, bo)
    answers = await asyncio.gather(*(ada.send("POST", "/v1/transfers", body, key="at-once") for _ in range(20)))
    done = [answer for answer in answers if answer.status_code == 201]
    assert done
    assert len({answer.json()["id"] for answer in done}) == 1
    for answer in answers:
        if answer.status_code != 201:
            problem(answer, 409, "idempotency_key_in_use")
    assert (await balance(ada), await balance(bo)) == (before[0] - 100, before[1] + 100)


async def test_a_deposit_twice_at_once_is_one(ada: Person) -> None:
    wallet = await ada.wallet("KES")
    body = {"wallet_id": wallet["id"], "amount": 5_00, "currency": "KES", "provider": "sandbox"}
    answers = await asyncio.gather(*(ada.send("POST", "/v1/deposits", body, key="one-deposit") for _ in range(5)))
    done = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.json()["id"] for answer in done}) == 1
    for answer in answers:
        if answer.status_code != 201:
            problem(answer, 409, "idempotency_key_in_use")


def event(reference: str) -> bytes:
    return json.dumps({"id": f"evt_{uuid4().hex}", "type": "payment.succeeded", "data": {"reference": reference}}).encode()


async def post_webhook(http: httpx.AsyncClient, body: bytes, signature: str | None) -> httpx.Response:
    headers = {"Content-Type": "application/json"} | ({HEADER: signature} if signature is not None else {})
    return await http.post("/v1/webhooks/sandbox", content=body, headers=headers)


async def test_webhooks_that_are_forged_or_old(stage: Stage, http: httpx.AsyncClient, ada: Person) -> None:
    before = await balance(ada)
    wallet = await ada.wallet("KES")
    deposit = await ada.call(
        "POST", "/v1/deposits", {"wallet_id": wallet["id"], "amount": 77_00, "currency": "KES", "provider": "sandbox"}
    )
    body, now = event(str(deposit["id"])), datetime.now(UTC)
    forged = [None, "", "nonsense", sign("another secret", now, body), sign(stage.sandbox_secret, now, body + b" ")]
    for signature in forged:
        answer = await post_webhook(http, body, signature)
        problem(answer, 401, "webhook_signature_invalid")
    answer = await post_webhook(http, body, sign(stage.sandbox_secret, now - timedelta(hours=1), body))
    problem(answer, 400, "webhook_timestamp_invalid")
    problem(await http.post("/v1/webhooks/nobody", content=body), 404, "provider_not_found")
    await asyncio.sleep(0.3)
    assert (await ada.call("GET", f"/v1/deposits/{deposit['id']}"))["status"] == "pending"
    assert await balance(ada) == before


async def test_a_webhook_a_hundred_times_credits_once(stage: Stage, http: httpx.AsyncClient, ada: Person) -> None:
    before = await balance(ada)
    deposit = await ada.deposit(12_34, "KES")
    assert deposit["status"] == "succeeded"
    body = event(str(deposit["id"]))
    signature = sign(stage.sandbox_secret, datetime.now(UTC), body)
    answers = await asyncio.gather(*(post_webhook(http, body, signature) for _ in range(100)))
    assert {answer.status_code for answer in answers} == {200}
    await asyncio.sleep(0.5)
    assert await balance(ada) == before + 12_34


async def test_odd_addresses(http: httpx.AsyncClient, ada: Person) -> None:
    problem(await ada.send("GET", "/v1/nowhere"), 404, "not_found")
    problem(await ada.send("DELETE", "/v1/wallets"), 405, "method_not_allowed")
    problem(await ada.send("GET", "/v1/wallets/not-an-id"), 422, "validation_error")
    problem(await ada.send("GET", f"/v1/wallets/{uuid4()}"), 404, "wallet_not_found")
    for query in ("limit=0", "limit=201", "limit=x", "cursor=forged", "cursor=e30"):
        problem(await ada.send("GET", f"/v1/loans?{query}"), 422, "validation_error")


async def test_the_ledger_still_verifies(admin: Person) -> None:
    report = await admin.call("POST", "/v1/admin/ledger/verify")
    assert report["sound"], report["faults"]
