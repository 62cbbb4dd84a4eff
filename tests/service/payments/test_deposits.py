"""Deposits, from the request to the money in the wallet."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.payments.commands.resume_stalled import resume_stalled_deposits
from services.payments.commands.start_deposit import DepositOrder, start_deposit
from services.payments.commands.sync_deposit import sync_deposit, sync_due_deposits
from services.payments.providers.base import Failure, Settled, StillPending, Success
from shared.contracts.payments.provider_commands import SyncDeposit
from shared.idempotency import IdempotentRequest
from shared.ids import new_id
from tests.service.payments.conftest import World
from tests.service.payments.faults import Faulty, ProcessKilled, answer_lost, away
from tests.support.identity import bearer


async def test_a_deposit_that_is_approved_reaches_the_wallet(world: World):
    person = await world.person()
    started = await world.deposit(person)
    assert started.status_code == 201, started.text
    deposit = started.json()
    assert deposit["status"] == "pending"
    assert (deposit["amount"], deposit["currency"], deposit["wallet_id"]) == (12_500, "KES", str(person.wallet_id))
    assert "idempotency_key" not in deposit

    assert (await world.press(deposit["checkout_url"], "approve")).status_code == 303
    settled = await world.settle(person, f"/v1/deposits/{deposit['id']}")

    assert settled["status"] == "succeeded"
    assert settled["settled_at"] is not None
    assert settled["failure"] is None
    assert world.ledger.balances == {person.account: 12_500, "provider:sandbox:KES": -12_500}
    (told,) = await world.told("payments.deposit.succeeded")
    assert (told["user_id"], told["amount_minor"]) == (str(person.id), 12_500)
    assert len(await world.told("payments.deposit.started")) == 1
    assert await world.told("payments.deposit.failed") == []


async def test_nothing_is_credited_while_nobody_has_paid(world: World):
    person = await world.person()
    deposit = (await world.deposit(person)).json()
    world.clock.advance(timedelta(minutes=10))
    await sync_due_deposits(world.context)
    assert (await world.settle(person, f"/v1/deposits/{deposit['id']}"))["status"] == "pending"
    assert world.ledger.posted == []


async def test_it_is_not_succeeded_before_the_ledger_has_posted(world: World):
    person = await world.person()
    deposit = (await world.deposit(person)).json()
    path = f"/v1/deposits/{deposit['id']}"
    await world.press(deposit["checkout_url"], "approve")
    await world.provider_works()
    await world.deliver("payments.deposit.sync")
    assert (await world.get(person, path))["status"] == "pending"
    # The command is lost somewhere: at the deadline it is sent again, and the ledger books it once.
    world.clock.advance(timedelta(seconds=61))
    await resume_stalled_deposits(world.context)
    assert (await world.deliver()).count("wallet_ledger.transaction.post") == 2
    assert (await world.get(person, path))["status"] == "succeeded"
    assert world.ledger.balances[person.account] == 12_500
    assert len(await world.told("payments.deposit.succeeded")) == 1


async def test_a_deposit_that_is_declined_fails_and_moves_nothing(world: World):
    person = await world.person()
    deposit = (await world.deposit(person)).json()
    await world.press(deposit["checkout_url"], "decline")
    settled = await world.settle(person, f"/v1/deposits/{deposit['id']}")
    assert settled["status"] == "failed"
    assert settled["failure"]["code"] == "payment_declined"
    assert world.ledger.posted == []
    assert len(await world.told("payments.deposit.failed")) == 1


async def test_a_lost_webhook_is_found_by_asking(world: World):
    person = await world.person()
    deposit = (await world.deposit(person)).json()
    await world.press(deposit["checkout_url"], "approve")
    await sync_due_deposits(world.context)
    await world.deliver()
    assert world.ledger.posted == []  # it is too early to ask
    world.clock.advance(timedelta(seconds=16))
    await sync_due_deposits(world.context)
    await world.deliver()
    assert (await world.get(person, f"/v1/deposits/{deposit['id']}"))["status"] == "succeeded"
    assert await world.events_received() == 0


async def test_a_deposit_that_nobody_pays_expires_and_can_no_longer_be_paid(world: World):
    person = await world.person()
    deposit = (await world.deposit(person)).json()
    path = f"/v1/deposits/{deposit['id']}"
    faulty = world.providers["sandbox"] = Faulty(world.providers["sandbox"])
    world.clock.advance(timedelta(hours=25))

    faulty.before = away
    await sync_due_deposits(world.context)
    assert (await world.get(person, path))["status"] == "pending"  # nobody knows whether it was paid
    faulty.before = lambda _: None
    world.clock.advance(timedelta(hours=1))
    await sync_due_deposits(world.context)
    assert (await world.get(person, path))["status"] == "expired"
    assert len(await world.told("payments.deposit.expired")) == 1

    assert "has expired" in (await world.browser.get(deposit["checkout_url"])).text
    await world.press(deposit["checkout_url"], "approve")
    assert (await world.settle(person, path))["status"] == "expired"
    assert world.ledger.posted == []


async def test_a_provider_that_never_expires_payments_does_not_keep_a_deposit_open(world: World):
    person = await world.person()
    deposit = (await world.deposit(person)).json()
    faulty = world.providers["sandbox"] = Faulty(world.providers["sandbox"])
    faulty.after = lambda _, answer: StillPending("pending")
    world.clock.advance(timedelta(hours=24, minutes=1))
    await sync_due_deposits(world.context)
    assert (await world.get(person, f"/v1/deposits/{deposit['id']}"))["status"] == "pending"
    world.clock.advance(timedelta(minutes=15))
    await sync_due_deposits(world.context)
    assert (await world.get(person, f"/v1/deposits/{deposit['id']}"))["status"] == "expired"


async def test_a_payment_of_the_last_second_is_credited_though_the_deposit_has_expired(world: World):
    person = await world.person()
    deposit = (await world.deposit(person)).json()
    faulty = world.providers["sandbox"] = Faulty(world.providers["sandbox"])
    await world.press(deposit["checkout_url"], "approve")
    faulty.after = lambda _, answer: StillPending("slow books")
    world.clock.advance(timedelta(hours=25))
    await sync_due_deposits(world.context)
    assert (await world.get(person, f"/v1/deposits/{deposit['id']}"))["status"] == "expired"
    faulty.after = lambda _, answer: answer
    assert (await world.settle(person, f"/v1/deposits/{deposit['id']}"))["status"] == "succeeded"
    assert world.ledger.balances[person.account] == 12_500


async def test_a_provider_that_is_away_when_a_late_payment_is_told_is_asked_again(world: World):
    person = await world.person()
    deposit = (await world.deposit(person)).json()
    faulty = world.providers["sandbox"] = Faulty(world.providers["sandbox"])
    await world.press(deposit["checkout_url"], "approve")
    faulty.after = lambda _, answer: StillPending("slow books")
    world.clock.advance(timedelta(hours=25))
    await sync_due_deposits(world.context)
    path = f"/v1/deposits/{deposit['id']}"
    faulty.after = answer_lost
    assert (await world.settle(person, path))["status"] == "expired"
    faulty.after = lambda _, answer: answer
    world.clock.advance(timedelta(minutes=11))
    await sync_due_deposits(world.context)
    await world.deliver()
    assert (await world.get(person, path))["status"] == "succeeded"
    assert world.ledger.balances[person.account] == 12_500


async def test_a_payment_after_the_provider_said_no_moves_nothing_and_is_told_to_operators(
    world: World, caplog: pytest.LogCaptureFixture
):
    person = await world.person()
    deposit = (await world.deposit(person)).json()
    await world.press(deposit["checkout_url"], "decline")
    path = f"/v1/deposits/{deposit['id']}"
    assert (await world.settle(person, path))["status"] == "failed"
    assert "contradicts itself" not in caplog.text
    await world.owner.execute("UPDATE sandbox.payments SET status = 'succeeded'")
    await world.handle(SyncDeposit(deposit_id=UUID(deposit["id"])), source="payments")
    assert "a provider contradicts itself about a deposit" in caplog.text
    assert (await world.get(person, path))["status"] == "failed"
    assert await world.outbox() == []
    assert world.ledger.balances[person.account] == 0


@pytest.mark.parametrize("taken_back", ["declined", "expired"])
async def test_a_payment_that_is_taken_back_moves_nothing_and_is_told_to_operators(
    world: World, caplog: pytest.LogCaptureFixture, taken_back: str
):
    person = await world.person()
    deposit = (await world.deposit(person)).json()
    await world.press(deposit["checkout_url"], "approve")
    path = f"/v1/deposits/{deposit['id']}"
    assert (await world.settle(person, path))["status"] == "succeeded"
    await world.handle(SyncDeposit(deposit_id=UUID(deposit["id"])), source="payments")
    assert "contradicts itself" not in caplog.text, "asked again, it says the same"
    await world.owner.execute("UPDATE sandbox.payments SET status = $1", taken_back)
    await world.handle(SyncDeposit(deposit_id=UUID(deposit["id"])), source="payments")
    assert "a provider contradicts itself about a deposit" in caplog.text
    assert (await world.get(person, path))["status"] == "succeeded"
    assert await world.outbox() == []
    assert (world.ledger.balances[person.account], len(world.ledger.posted)) == (12_500, 1)


async def test_one_key_for_two_orders_in_two_processes_starts_the_first_only(world: World):
    person = await world.person()
    meanwhile = iter([77])

    async def check_wallet_meanwhile(*_: Any) -> None:
        for amount in meanwhile:
            world.context._under_way.clear()  # which another process does not see
            assert (await world.deposit(person, key="k", amount=amount)).status_code == 201

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.payments.commands.start_deposit.check_wallet", check_wallet_meanwhile)
        answer = await world.deposit(person, key="k", amount=88)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert (await world.deposit(person, key="k", amount=77)).json()["amount"] == 77
    assert await world.owner.fetchval("SELECT array_agg(amount_minor) FROM payments.deposits") == [77]


@pytest.mark.parametrize(
    "paid",
    [
        {"amount_minor": 12_499},
        {"amount_minor": 1_250_000},
        {"currency": "UGX"},
        {"reference": "dep_of_somebody_else"},
    ],
    ids=str,
)
async def test_a_payment_that_is_not_what_was_ordered_is_never_credited(world: World, paid: dict[str, object]):
    person = await world.person()
    deposit = (await world.deposit(person)).json()
    faulty = world.providers["sandbox"] = Faulty(world.providers["sandbox"])

    def lie(operation: str, answer: Success[Settled]) -> Success[Settled]:
        facts = {"reference": answer.value.reference, "amount_minor": 12_500, "currency": "KES", **paid}
        return Success(Settled(provider_id="p", **facts))

    await world.press(deposit["checkout_url"], "approve")
    faulty.after = lie
    settled = await world.settle(person, f"/v1/deposits/{deposit['id']}")
    assert settled["status"] == "failed"
    assert settled["failure"]["code"] == "payment_mismatch"
    faulty.after = lambda _, answer: answer
    await sync_deposit(world.context, UUID(deposit["id"]))
    await world.deliver()
    assert world.ledger.posted == []


async def test_money_that_the_wallet_cannot_take_is_parked_in_suspense(world: World):
    person = await world.person()
    world.ledger.refuse_accounts.add(person.account)
    deposit = (await world.deposit(person)).json()
    await world.press(deposit["checkout_url"], "approve")
    settled = await world.settle(person, f"/v1/deposits/{deposit['id']}")
    assert (settled["status"], settled["failure"]["code"]) == ("failed", "credit_rejected")
    assert world.ledger.balances == {person.account: 0, "suspense:KES": 12_500, "provider:sandbox:KES": -12_500}


async def test_the_same_request_gets_the_same_answer(world: World):
    person = await world.person()
    first = await world.deposit(person, key="k1")
    again = await world.deposit(person, key="k1")
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    other = await world.deposit(person, key="k1", amount=1)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len((await world.get(person, "/v1/deposits"))["items"]) == 1
    somebody_else = await world.person()
    assert (await world.deposit(somebody_else, key="k1")).json()["id"] != first.json()["id"]


async def test_the_same_request_many_times_at_once_makes_one_deposit(world: World):
    person = await world.person()
    faulty = world.providers["sandbox"] = Faulty(world.providers["sandbox"])
    faulty.pause_seconds = 0.05
    answers = await asyncio.gather(*(world.deposit(person, key="at-once") for _ in range(10)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"idempotency_key_in_use"}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert await world.owner.fetchval("SELECT count(*) FROM payments.deposits") == 1
    assert await world.owner.fetchval("SELECT count(*) FROM sandbox.payments") == 1


async def test_a_provider_that_is_away_is_told_plainly_and_the_same_key_goes_on(world: World):
    person = await world.person()
    faulty = world.providers["sandbox"] = Faulty(world.providers["sandbox"])
    faulty.before = away
    refused = await world.deposit(person, key="again")
    assert (refused.status_code, refused.json()["code"]) == (503, "provider_unavailable")
    assert "Retry-After" in refused.headers
    faulty.before = lambda _: None
    started = await world.deposit(person, key="again")
    assert started.status_code == 201
    assert "Idempotent-Replayed" not in started.headers
    assert await world.owner.fetchval("SELECT count(*) FROM payments.deposits") == 1
    await world.press(started.json()["checkout_url"], "approve")
    assert (await world.settle(person, f"/v1/deposits/{started.json()['id']}"))["status"] == "succeeded"


async def test_a_provider_that_is_slow_is_not_waited_for_longer_than_its_time(world: World):
    person = await world.person()
    faulty = world.providers["sandbox"] = Faulty(world.providers["sandbox"])
    faulty.pause_seconds = 2.5  # more than the 2 s of this world
    assert (await world.deposit(person, key="slow")).status_code == 503
    faulty.pause_seconds = 0
    assert (await world.deposit(person, key="slow")).status_code == 201
    assert len(set(faulty.named("initiate"))) == 1


async def test_an_answer_lost_after_the_provider_began_makes_no_second_payment(world: World):
    person = await world.person()
    faulty = world.providers["sandbox"] = Faulty(world.providers["sandbox"])
    faulty.after = answer_lost
    assert (await world.deposit(person, key="lost")).status_code == 503
    faulty.after = lambda _, answer: answer
    assert (await world.deposit(person, key="lost")).status_code == 201
    assert await world.owner.fetchval("SELECT count(*) FROM sandbox.payments") == 1


async def test_a_process_killed_between_the_intent_and_the_answer_goes_on_with_the_same_reference(world: World):
    person = await world.person()
    faulty = world.providers["sandbox"] = Faulty(world.providers["sandbox"])

    def kill(operation: str, answer: object) -> object:
        raise ProcessKilled

    order = DepositOrder(person.id, person.wallet_id, 12_500, "KES", "sandbox", None)
    request = IdempotentRequest(str(person.id), "killed", b"fingerprint")
    faulty.after = kill
    with pytest.raises(ProcessKilled):
        await start_deposit(world.context, order, request, lambda deposit: {"id": str(deposit.id)})
    faulty.after = lambda _, answer: answer
    answer = await start_deposit(world.context, order, request, lambda deposit: {"id": str(deposit.id)})
    assert answer.status == 201
    assert len(set(faulty.named("initiate"))) == 1
    assert await world.owner.fetchval("SELECT count(*) FROM sandbox.payments") == 1
    # Paid, although the first answer never reached anybody.
    url = await world.owner.fetchval("SELECT checkout_url FROM payments.deposits")
    await world.press(url, "approve")
    assert (await world.settle(person, f"/v1/deposits/{answer.body['id']}"))["status"] == "succeeded"


async def test_an_intent_that_never_reached_the_provider_expires(world: World):
    person = await world.person()
    faulty = world.providers["sandbox"] = Faulty(world.providers["sandbox"])
    faulty.before = away
    await world.deposit(person, key="gone")
    faulty.before = lambda _: None
    world.clock.advance(timedelta(hours=25))
    await sync_due_deposits(world.context)
    (deposit,) = (await world.get(person, "/v1/deposits"))["items"]
    assert (deposit["status"], deposit["checkout_url"]) == ("expired", None)
    late = await world.deposit(person, key="gone")
    assert (late.status_code, late.json()["status"]) == (201, "expired")


async def test_a_provider_that_says_no_refuses_the_request_for_good(world: World):
    person = await world.person()
    faulty = world.providers["sandbox"] = Faulty(world.providers["sandbox"])
    faulty.after = lambda _, answer: Failure("order_refused", "The provider does not take this order.")
    for replayed in (False, True):
        refused = await world.deposit(person, key="no")
        assert (refused.status_code, refused.json()["code"]) == (422, "deposit_refused")
        assert ("Idempotent-Replayed" in refused.headers) is replayed
        assert refused.headers["content-type"] == "application/problem+json"
    (deposit,) = (await world.get(person, "/v1/deposits"))["items"]
    assert (deposit["status"], deposit["failure"]["code"]) == ("failed", "order_refused")


async def test_an_unverified_address_may_deposit(world: World):
    person = await world.person()
    headers = bearer(person.id, email_verified=False)
    body = {"wallet_id": str(person.wallet_id), "amount": 1, "currency": "KES", "provider": "sandbox"}
    answer = await world.api.post("/v1/deposits", json=body, headers={**headers, "Idempotency-Key": "k"})
    assert answer.status_code == 201


async def test_everybody_sees_their_own_newest_first(world: World):
    person, other = await world.person(), await world.person()
    made = [(await world.deposit(person)).json()["id"] for _ in range(3)]
    await world.deposit(other)
    page = await world.get(person, "/v1/deposits?limit=2")
    assert [item["id"] for item in page["items"]] == [made[2], made[1]]
    page = await world.get(person, f"/v1/deposits?limit=2&cursor={page['next_cursor']}")
    assert [item["id"] for item in page["items"]] == [made[0]]
    assert page["next_cursor"] is None
    hidden = await world.api.get(f"/v1/deposits/{made[0]}", headers=other.headers)
    assert (hidden.status_code, hidden.json()["code"]) == (404, "deposit_not_found")


BAD_INPUT: list[tuple[dict[str, Any], int, str]] = [
    ({"amount": 0}, 422, "validation_error"),
    ({"amount": -5}, 422, "validation_error"),
    ({"amount": 10**15 + 1}, 422, "validation_error"),
    ({"amount": 10**16}, 422, "validation_error"),
    ({"amount": 12.5}, 422, "validation_error"),
    ({"amount": "12"}, 422, "validation_error"),
    ({"amount": True}, 422, "validation_error"),
    ({"amount": None}, 422, "validation_error"),
    ({"currency": "kes"}, 422, "validation_error"),
    ({"currency": "XXQ"}, 422, "validation_error"),
    ({"currency": "USD"}, 422, "currency_mismatch"),
    ({"wallet_id": "not-a-uuid"}, 422, "validation_error"),
    ({"provider": "nobody"}, 422, "unknown_provider"),
    ({"provider": "../etc"}, 422, "validation_error"),
    ({"surprise": 1}, 422, "validation_error"),
    ({"return_url": "https://evil.example/"}, 422, "validation_error"),
    ({"return_url": "x\u0000"}, 422, "validation_error"),
]


async def test_bad_input_is_refused_clearly_and_leaves_nothing_behind(world: World):
    person = await world.person()
    for changes, status, code in BAD_INPUT:
        answer = await world.deposit(person, **changes)
        assert (answer.status_code, answer.json()["code"]) == (status, code), (changes, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
    assert await world.owner.fetchval("SELECT count(*) FROM payments.deposits") == 0
    assert await world.outbox() == []


async def test_bad_requests_are_refused_clearly(world: World):
    person = await world.person()
    headers = {**person.headers, "Idempotency-Key": "k", "Content-Type": "application/json"}
    for body in (b"{", b'{"amount": NaN}', b"", b"[]"):
        answer = await world.api.post("/v1/deposits", content=body, headers=headers)
        assert answer.status_code in (400, 422)
        assert answer.json()["code"] in ("malformed_body", "validation_error")
    good = {"wallet_id": str(person.wallet_id), "amount": 1, "currency": "KES", "provider": "sandbox"}
    for key, code in ((None, "idempotency_key_missing"), ("", "idempotency_key_invalid"), ("x" * 256, "idempotency_key_invalid")):
        sent = person.headers if key is None else {**person.headers, "Idempotency-Key": key}
        answer = await world.api.post("/v1/deposits", json=good, headers=sent)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    answer = await world.api.post("/v1/deposits", json=good, headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert await world.owner.fetchval("SELECT count(*) FROM payments.deposits") == 0


async def test_somebody_elses_wallet_does_not_exist(world: World):
    person, other = await world.person(), await world.person()
    wallets = (str(other.wallet_id), str(new_id()))
    for answer in await asyncio.gather(*(world.deposit(person, wallet_id=wallet_id) for wallet_id in wallets)):
        assert (answer.status_code, answer.json()["code"]) == (404, "wallet_not_found")


async def test_providers_are_listed(world: World):
    person = await world.person()
    (provider,) = (await world.get(person, "/v1/payment-providers"))["items"]
    assert provider["name"] == "sandbox"
    assert "KES" in provider["currencies"]
    assert provider["destination_fields"] == ["account"]
