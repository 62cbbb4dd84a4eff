"""The HTTP interface: wallets, transfers, statements, and what operators see."""

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.wallet_ledger.commands.remember_person import update_person, welcome_person
from shared.contracts.auth.user_events import UserRegistered, UserUpdated
from shared.ids import new_id
from shared.messaging.consumer import Delivery
from shared.messaging.envelope import Envelope, Event
from shared.messaging.inbox import AlreadyHandled
from tests.service.wallet_ledger.conftest import Person, World, move, transaction
from tests.support.identity import bearer


def delivery_of(event: Event, source: str = "auth") -> Delivery[Any]:
    envelope = Envelope.of(
        event, id=new_id(), source=source, time=datetime.now(UTC), aggregate_id=new_id(), correlation_id="test"
    )
    return Delivery(envelope, event)


def registered(user_id: Any, email: str) -> UserRegistered:
    return UserRegistered(
        user_id=user_id, email=email, full_name="A B", home_currency="KES", email_verified=True, roles=["user"],
        registered_at=datetime.now(UTC),
    )  # fmt: skip


async def send(world: World, person: Person, to: dict[str, str], amount: object, **fields: Any) -> Any:
    headers = person.headers | {"Idempotency-Key": fields.pop("key", None) or str(new_id())}
    body = {"from_wallet_id": str(person.wallet_id), "to": to, "amount": amount, "currency": "KES"} | fields
    return await world.client.post("/v1/transfers", json=body, headers=headers)


async def test_a_fresh_person_has_one_wallet_however_often_and_however_they_ask(world: World) -> None:
    user_id = new_id()
    headers = bearer(user_id)
    event = delivery_of(registered(user_id, "ann@example.test"))

    answers = await asyncio.gather(
        *(world.client.get("/v1/wallets", headers=headers) for _ in range(5)), welcome_person(world.context, event)
    )

    pages = [answer.json() for answer in answers[:5]]
    assert all(page == pages[0] for page in pages)
    (wallet,) = pages[0]["items"]
    assert (wallet["currency"], wallet["balance"], wallet["available"], wallet["held"]) == ("KES", 0, 0, 0)
    (opened,) = await world.events("wallet_ledger.wallet.opened")
    assert opened["user_id"] == str(user_id)
    with pytest.raises(AlreadyHandled):
        await welcome_person(world.context, event)


async def test_further_wallets_up_to_a_limit(world: World) -> None:
    ann = await world.person()

    made = await world.client.post("/v1/wallets", json={"currency": "JPY", "name": "Tokyo"}, headers=ann.headers)
    unknown = await world.client.post("/v1/wallets", json={"currency": "XYZ"}, headers=ann.headers)
    rest = [await world.client.post("/v1/wallets", json={"currency": "EUR"}, headers=ann.headers) for _ in range(19)]

    assert (made.status_code, made.json()["currency"], made.json()["name"]) == (201, "JPY", "Tokyo")
    assert unknown.status_code == 422
    assert [answer.status_code for answer in rest] == [201] * 18 + [409]
    assert rest[-1].json()["code"] == "too_many_wallets"
    page = (await world.client.get("/v1/wallets?limit=7", headers=ann.headers)).json()
    following = (await world.client.get(f"/v1/wallets?limit=13&cursor={page['next_cursor']}", headers=ann.headers)).json()
    assert len({wallet["id"] for wallet in page["items"] + following["items"]}) == 20
    assert following["next_cursor"] is None


async def test_a_transfer_and_what_both_sides_see(world: World) -> None:
    ann, ben = await world.person(10_000), await world.person()

    answer = await send(world, ann, {"wallet_id": str(ben.wallet_id)}, 2_500, description="Lunch")

    assert answer.status_code == 201
    sent = answer.json()
    assert (sent["status"], sent["amount"], sent["to_wallet_id"]) == ("completed", 2_500, str(ben.wallet_id))
    for person, direction, after in ((ann, "debit", 7_500), (ben, "credit", 2_500)):
        entries = (await world.client.get(f"/v1/wallets/{person.wallet_id}/entries", headers=person.headers)).json()
        newest = entries["items"][0]
        assert (newest["direction"], newest["amount"], newest["balance_after"]) == (direction, 2_500, after)
        assert (newest["kind"], newest["description"], newest["transaction_id"]) == ("transfer", "Lunch", sent["id"])
        seen = (await world.client.get(f"/v1/transactions/{sent['id']}", headers=person.headers)).json()
        (posting,) = seen["postings"]
        assert (posting["wallet_id"], posting["direction"]) == (str(person.wallet_id), direction)
    (told,) = await world.events("wallet_ledger.transfer.completed")
    assert (told["from_user_id"], told["to_user_id"], told["amount_minor"]) == (str(ann.id), str(ben.id), 2_500)
    stranger = await world.client.get(f"/v1/transactions/{sent['id']}", headers=bearer(new_id()))
    assert (stranger.status_code, stranger.json()["code"]) == (404, "transaction_not_found")


async def test_a_transfer_by_address(world: World) -> None:
    ann, ben = await world.person(10_000), await world.person()
    await welcome_person(world.context, delivery_of(registered(ben.id, "Ben@Example.test")))

    answer = await send(world, ann, {"email": "ben@example.TEST"}, 100)
    nobody = await send(world, ann, {"email": "nobody@example.test"}, 100)

    assert answer.json()["to_wallet_id"] == str(ben.wallet_id)
    assert await world.balance(ben.account) == (100, 0)
    assert (nobody.status_code, nobody.json()["code"]) == (404, "wallet_not_found")
    closed = UserUpdated(user_id=ben.id, email="ben@example.test", full_name="B", roles=["user"], status="suspended")
    await update_person(world.context, delivery_of(closed))
    assert (await send(world, ann, {"email": "ben@example.test"}, 100)).status_code == 404
    assert await world.balance(ben.account) == (100, 0)


async def test_the_same_request_twice_at_once_and_later(world: World) -> None:
    ann, ben = await world.person(10_000), await world.person()
    to = {"wallet_id": str(ben.wallet_id)}

    answers = await asyncio.gather(*(send(world, ann, to, 300, key="lunch") for _ in range(8)))
    later = await send(world, ann, to, 300, key="lunch")
    other = await send(world, ann, to, 301, key="lunch")

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in (*answers, later)}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    assert later.headers["Idempotent-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert await world.balance(ben.account) == (300, 0)
    assert len(await world.events("wallet_ledger.transfer.completed")) == 1


async def test_a_refusal_is_the_answer_for_ever(world: World) -> None:
    ann, ben = await world.person(), await world.person()
    to = {"wallet_id": str(ben.wallet_id)}

    first = await send(world, ann, to, 300, key="k")
    await world.fund(ann.account, 1_000)
    again = await send(world, ann, to, 300, key="k")

    assert (first.status_code, first.json()["code"]) == (409, "insufficient_funds")
    assert "KES 0.00 available; KES 3.00 is needed" in first.json()["detail"]
    assert (again.status_code, again.json()["code"]) == (409, "insufficient_funds")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert await world.balance(ben.account) == (0, 0)


async def test_what_the_ledger_refuses_it_refuses_for_the_key(world: World) -> None:
    ann = await world.person(100)
    to_self = {"wallet_id": str(ann.wallet_id)}

    first, again = await send(world, ann, to_self, 1, key="k"), await send(world, ann, to_self, 1, key="k")
    other = await send(world, ann, to_self, 2, key="k")

    assert (first.json()["code"], again.json()["code"]) == ("same_wallet", "same_wallet")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_bad_transfers_move_nothing(world: World) -> None:
    ann, ben = await world.person(10_000), await world.person(5_000)
    to = {"wallet_id": str(ben.wallet_id)}
    yen = (await world.client.post("/v1/wallets", json={"currency": "JPY"}, headers=ben.headers)).json()["id"]
    cases = [
        (await send(world, ann, {"wallet_id": str(ann.wallet_id)}, 1), 422, "same_wallet"),
        (await send(world, ann, {"wallet_id": yen}, 1), 422, "currency_mismatch"),
        (await send(world, ann, to, 1, currency="JPY"), 422, "currency_mismatch"),
        (await send(world, ann, {"wallet_id": str(new_id())}, 1), 404, "wallet_not_found"),
        (await send(world, ann, to, 1, from_wallet_id=str(ben.wallet_id)), 404, "wallet_not_found"),
        (await send(world, ann, to, 10_001), 409, "insufficient_funds"),
        *[
            (await send(world, ann, to, amount), 422, "validation_error")
            for amount in (0, -1, 1.5, 1.0, "1", True, None, 10**15 + 1, 10**16)
        ],
        (await send(world, ann, {}, 1), 422, "validation_error"),
        (await send(world, ann, to | {"email": "a@b.test"}, 1), 422, "validation_error"),
        (await send(world, ann, to, 1, note="x"), 422, "validation_error"),
        (await send(world, ann, to, 1, description="a\x00b"), 422, "validation_error"),
        (await send(world, ann, to, 1, key="with space"), 400, "idempotency_key_invalid"),
    ]

    for answer, status, code in cases:
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    assert await world.balance(ann.account) == (10_000, 0)
    assert await world.balance(ben.account) == (5_000, 0)
    body = {"from_wallet_id": str(ann.wallet_id), "to": to, "amount": 1, "currency": "KES"}
    keyless = await world.client.post("/v1/transfers", json=body, headers=ann.headers)
    assert (keyless.status_code, keyless.json()["code"]) == (400, "idempotency_key_missing")
    unverified = bearer(ann.id, email_verified=False) | {"Idempotency-Key": "k"}
    refused = await world.client.post("/v1/transfers", json=body, headers=unverified)
    assert (refused.status_code, refused.json()["code"]) == (403, "email_unverified")
    assert await world.owner.fetchval("SELECT count(*) FROM wallet_ledger.transfers") == 2


async def test_somebody_elses_wallet_is_not_there(world: World) -> None:
    ann, ben = await world.person(10_000), await world.person()
    for path in ("", "/entries", "/balance", "/statement?from=2026-01-01&to=2026-01-31"):
        answer = await world.client.get(f"/v1/wallets/{ann.wallet_id}{path}", headers=ben.headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "wallet_not_found"), path


async def test_entries_page_by_page(world: World) -> None:
    ann, ben = await world.person(10_000), await world.person()
    for amount in range(1, 8):
        await world.poster.post(transaction(move(ann.account, ben.account, amount)))

    seen, cursor = [], ""
    for _ in range(5):
        page = (await world.client.get(f"/v1/wallets/{ann.wallet_id}/entries?limit=3{cursor}", headers=ann.headers)).json()
        seen += [(entry["direction"], entry["amount"]) for entry in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"

    forged = base64.urlsafe_b64encode(json.dumps({"after": str(UUID(int=2**128 - 1))}).encode()).decode()
    beyond = await world.client.get(f"/v1/wallets/{ann.wallet_id}/entries?cursor={forged}", headers=ann.headers)
    assert len(beyond.json()["items"]) == 8
    assert seen == [*(("debit", amount) for amount in range(7, 0, -1)), ("credit", 10_000)]


async def test_balances_and_statements_at_any_instant(world: World) -> None:
    ann, ben = await world.person(10_000), await world.person()
    instants = []
    for amount in (100, 200, 300, 400):
        await asyncio.sleep(0.005)
        instants.append(datetime.now(UTC))
        await world.poster.post(transaction(move(ann.account, ben.account, amount), description="=cmd()"))

    async def balance(at: datetime) -> int:
        path = f"/v1/wallets/{ann.wallet_id}/balance"
        answer = await world.client.get(path, params={"at": at.isoformat()}, headers=ann.headers)
        return int(answer.json()["balance"])

    assert [await balance(at) for at in instants] == [10_000, 9_900, 9_700, 9_400]
    assert await balance(datetime.now(UTC)) == 9_000
    assert await balance(instants[0] - timedelta(days=400)) == 0

    today = datetime.now(UTC).date()
    path = f"/v1/wallets/{ann.wallet_id}/statement"
    days = {"from": str(today - timedelta(days=1)), "to": str(today)}
    statement = (await world.client.get(path, params=days, headers=ann.headers)).json()
    assert (statement["opening_balance"], statement["closing_balance"]) == (0, 9_000)
    assert (statement["total_in"], statement["total_out"]) == (10_000, 1_000)
    assert [entry["balance_after"] for entry in statement["entries"]] == [10_000, 9_900, 9_700, 9_400, 9_000]
    before = {"from": "2020-01-01", "to": "2020-02-01"}
    empty = (await world.client.get(path, params=before, headers=ann.headers)).json()
    assert (empty["opening_balance"], empty["closing_balance"], empty["entries"]) == (0, 0, [])

    table = await world.client.get(path, params=days | {"format": "csv"}, headers=ann.headers)
    lines = table.text.splitlines()
    assert table.headers["content-type"].startswith("text/csv")
    assert len(lines) == 8
    assert "closing_balance" in lines[-1]
    assert "90.00" in lines[-1]
    assert "'=cmd()" in lines[3]
    assert await balance(datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)) == 9_000
    endless = await world.client.get(path, params={"from": "9999-12-31", "to": "9999-12-31"}, headers=ann.headers)
    assert endless.status_code == 422
    backwards = await world.client.get(path, params={"from": "2020-02-01", "to": "2020-01-01"}, headers=ann.headers)
    assert backwards.status_code == 422


async def test_operators_see_everything_and_others_nothing(world: World) -> None:
    ann, ben = await world.person(10_000), await world.person()
    sent = (await send(world, ann, {"wallet_id": str(ben.wallet_id)}, 2_500)).json()
    support, admin = bearer(new_id(), roles=("support",)), bearer(new_id(), roles=("admin",))

    accounts = (await world.client.get("/v1/admin/ledger/accounts?prefix=wallet:", headers=support)).json()
    assert {account["address"]: account["balance"] for account in accounts["items"]} == {
        ann.account: 7_500,
        ben.account: 2_500,
    }
    found = await world.client.get(
        "/v1/admin/ledger/transactions",
        params={
            "account": ben.account,
            "kind": "transfer",
            "status": "posted",
            "min_amount": 2_500,
            "from": "2020-01-01T00:00:00Z",
        },
        headers=support,
    )
    assert [one["id"] for one in found.json()["items"]] == [sent["id"]]
    one = (await world.client.get(f"/v1/admin/ledger/transactions/{sent['id']}", headers=support)).json()
    assert [(posting["debit_account"], posting["amount"]) for posting in one["postings"]] == [(ann.account, 2_500)]
    balance = (await world.client.get("/v1/admin/ledger/trial-balance", headers=support)).json()
    assert balance["balanced"]
    (total,) = balance["totals"]
    assert (total["debits"], total["credits"], total["difference"]) == (12_500, 12_500, 0)
    report = (await world.client.post("/v1/admin/ledger/verify", headers=admin)).json()
    assert (report["sound"], report["transactions"], report["transfers"]) == (True, 2, 2)
    for path in ("accounts", "transactions", "trial-balance"):
        assert (await world.client.get(f"/v1/admin/ledger/{path}", headers=ann.headers)).status_code == 403
    assert (await world.client.post("/v1/admin/ledger/verify", headers=support)).status_code == 403
    assert (await world.client.get("/v1/admin/ledger/accounts")).status_code == 401


async def test_a_transaction_is_reversed_once(world: World) -> None:
    ann, ben = await world.person(10_000), await world.person()
    sent = (await send(world, ann, {"wallet_id": str(ben.wallet_id)}, 2_500)).json()
    admin = bearer(new_id(), roles=("admin",))
    path = f"/v1/admin/ledger/transactions/{sent['id']}/reverse"

    async def reverse(key: str, headers: dict[str, str] = admin) -> Any:
        body = {"reason": "Sent twice"}
        return await world.client.post(path, json=body, headers=headers | {"Idempotency-Key": key})

    assert (await reverse("1", ann.headers)).status_code == 403
    answers = await asyncio.gather(reverse("1"), reverse("1"), reverse("2"), reverse("3"))

    assert sorted(answer.status_code for answer in answers) in ([201, 201, 409, 409], [201, 409, 409, 409])
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"already_reversed"}
    assert await world.balance(ann.account) == (10_000, 0)
    assert await world.balance(ben.account) == (0, 0)
    seen = (await world.client.get(f"/v1/admin/ledger/transactions/{sent['id']}", headers=admin)).json()
    reversal = next(answer.json() for answer in answers if answer.status_code == 201)
    assert seen["reversed_by_id"] == reversal["id"]
    assert reversal["reverses_id"] == sent["id"]


async def test_what_is_spent_cannot_be_reversed(world: World) -> None:
    ann, ben = await world.person(10_000), await world.person()
    sent = (await send(world, ann, {"wallet_id": str(ben.wallet_id)}, 2_500)).json()
    await world.poster.post(transaction(move(ben.account, "fees:KES", 1)))
    admin = bearer(new_id(), roles=("admin",)) | {"Idempotency-Key": "k"}

    answer = await world.client.post(f"/v1/admin/ledger/transactions/{sent['id']}/reverse", json={"reason": "x"}, headers=admin)

    assert (answer.status_code, answer.json()["code"]) == (409, "insufficient_funds")
    assert await world.balance(ben.account) == (2_499, 0)
