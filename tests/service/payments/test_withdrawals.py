"""Withdrawals, from the request to the money at the provider or back in the wallet."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.payments.commands.cancel_withdrawal import cancel_withdrawal
from services.payments.commands.resume_stalled import resume_stalled_withdrawals
from services.payments.domain.problems import WithdrawalNotCancellable
from services.payments.providers.base import Settled, Success, Unknown
from shared.contracts.payments.provider_commands import RunPayout
from shared.ids import new_id
from tests.service.payments.conftest import Person, World
from tests.service.payments.faults import Faulty, ProcessKilled, answer_lost, away
from tests.support.identity import bearer

HOLD = "wallet_ledger.transaction.post"
RUN = "payments.payout.run"


async def withdrawal_of(world: World, person: Person, **changes: Any) -> str:
    """The path of a new withdrawal."""
    answer = await world.withdraw(person, **changes)
    assert answer.status_code == 202, answer.text
    return f"/v1/withdrawals/{answer.json()['id']}"


def faulty_provider(world: World) -> Faulty:
    world.providers["sandbox"] = Faulty(world.providers["sandbox"])
    return world.providers["sandbox"]


async def payouts(world: World) -> list[str]:
    """Statuses of the payouts that the provider has taken."""
    return [row["status"] for row in await world.owner.fetch("SELECT status FROM sandbox.payouts ORDER BY id")]


async def test_a_withdrawal_is_held_paid_and_booked(world: World):
    person = await world.person(balance=8_000)
    started = await world.withdraw(person)
    assert started.status_code == 202
    assert started.json()["status"] == "pending"
    assert started.json()["destination"] == {"account": "••••0001"}
    path = f"/v1/withdrawals/{started.json()['id']}"

    await world.deliver()
    assert (await world.get(person, path))["status"] == "processing"
    assert world.ledger.balances[person.account] == 8_000
    assert world.ledger.available(person.account) == 3_000
    settled = await world.settle(person, path)

    assert settled["status"] == "completed"
    assert settled["failure"] is None
    assert world.ledger.balances == {person.account: 3_000, "provider:sandbox:KES": 5_000}
    assert world.ledger.holds == {}
    assert await payouts(world) == ["succeeded"]
    assert len(await world.told("payments.withdrawal.completed")) == 1
    assert await world.told("payments.withdrawal.failed") == []


async def test_a_payout_that_fails_puts_the_money_back(world: World):
    person = await world.person(balance=8_000)
    path = await withdrawal_of(world, person, destination={"account": "fail-1234567"})
    settled = await world.settle(person, path)
    assert settled["status"] == "failed"
    assert settled["failure"] == {"code": "payout_refused", "reason": "The provider could not pay to this destination."}
    assert world.ledger.balances == {person.account: 8_000}
    assert world.ledger.available(person.account) == 8_000
    (told,) = await world.told("payments.withdrawal.failed")
    assert told["code"] == "payout_refused"
    assert await world.told("payments.withdrawal.completed") == []


async def test_it_is_not_failed_before_the_money_is_back(world: World):
    person = await world.person(balance=8_000)
    path = await withdrawal_of(world, person, destination={"account": "fail-1234567"})
    await world.deliver()
    world.clock.advance(timedelta(seconds=1))
    await world.provider_works()
    await world.deliver(RUN)
    shown = await world.get(person, path)
    assert (shown["status"], shown["failure"]) == ("processing", None)
    await world.deliver()
    assert (await world.get(person, path))["status"] == "failed"


async def test_a_slow_payout_takes_five_seconds(world: World):
    person = await world.person(balance=8_000)
    path = await withdrawal_of(world, person, destination={"account": "slow-1234567"})
    assert (await world.settle(person, path))["status"] == "processing"
    world.clock.advance(timedelta(seconds=5))
    assert (await world.settle(person, path))["status"] == "completed"


async def test_a_lost_webhook_of_a_payout_is_found_by_asking(world: World):
    person = await world.person(balance=8_000)
    path = await withdrawal_of(world, person)
    await world.deliver()
    await world.owner.execute("UPDATE sandbox.payouts SET status = 'succeeded'")
    world.clock.advance(timedelta(seconds=16))
    await resume_stalled_withdrawals(world.context)
    await world.deliver()
    assert (await world.get(person, path))["status"] == "completed"
    assert await world.events_received() == 0


async def test_too_little_money_fails_and_never_reaches_the_provider(world: World):
    person = await world.person(balance=4_999)
    answer = await world.withdraw(person)
    assert answer.status_code == 202
    settled = await world.settle(person, f"/v1/withdrawals/{answer.json()['id']}")
    assert (settled["status"], settled["failure"]["code"]) == ("failed", "insufficient_funds")
    assert await payouts(world) == []
    assert world.ledger.balances == {person.account: 4_999}
    (told,) = await world.told("payments.withdrawal.failed")
    assert told["code"] == "insufficient_funds"


async def test_two_withdrawals_of_the_same_money_pay_once(world: World):
    person = await world.person(balance=5_000)
    paths = [await withdrawal_of(world, person) for _ in range(2)]
    await world.deliver()
    settled = [await world.settle(person, path) for path in paths]
    assert sorted(one["status"] for one in settled) == ["completed", "failed"]
    assert await payouts(world) == ["succeeded"]
    assert world.ledger.balances[person.account] == 0


async def test_prefer_wait_answers_with_the_end(world: World):
    person = await world.person(balance=5_000)

    async def others() -> None:
        for _ in range(100):
            await world.deliver()
            world.clock.advance(timedelta(seconds=1))
            await world.provider_works()
            if await world.told("payments.withdrawal.completed"):
                return
            await asyncio.sleep(0.02)

    answer, _ = await asyncio.gather(world.withdraw(person, key="w", headers={"Prefer": "wait=10"}), others())
    assert (answer.status_code, answer.json()["status"]) == (202, "completed")
    assert answer.headers["Preference-Applied"] == "wait=10"
    again = await world.withdraw(person, key="w")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (202, "true")
    assert again.json()["id"] == answer.json()["id"]
    assert await payouts(world) == ["succeeded"]


async def test_the_same_request_many_times_at_once_makes_one_withdrawal(world: World):
    person = await world.person(balance=50_000)
    answers = await asyncio.gather(*(world.withdraw(person, key="at-once") for _ in range(10)))
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 202}) == 1
    assert await world.owner.fetchval("SELECT count(*) FROM payments.withdrawals") == 1
    other = await world.withdraw(person, key="at-once", amount=1)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_the_destination_is_stored_sealed_and_shown_masked(world: World):
    person = await world.person(balance=8_000)
    path = await withdrawal_of(world, person, destination={"account": "very-secret-account"})
    row = await world.owner.fetchrow("SELECT w::text AS all, destination_encrypted FROM payments.withdrawals w")
    assert b"secret" not in row["destination_encrypted"]
    assert "very-secret" not in row["all"]
    outbox = await world.owner.fetchval("SELECT string_agg(envelope::text, '') FROM payments.outbox")
    assert "very-secret" not in outbox
    assert (await world.get(person, path))["destination"] == {"account": "••••ount"}
    await world.settle(person, path)
    assert await world.owner.fetchval("SELECT account FROM sandbox.payouts") == "very-secret-account"
    records = await world.owner.fetchval("SELECT string_agg(detail::text, '') FROM payments.provider_answers")
    assert "very-secret" not in records


async def test_a_payout_whose_answer_is_lost_is_asked_about_and_never_paid_twice(world: World):
    person = await world.person(balance=8_000)
    path = await withdrawal_of(world, person)
    faulty = faulty_provider(world)
    faulty.after = answer_lost
    await world.deliver()
    shown = await world.get(person, path)
    assert shown["status"] == "processing"
    assert world.ledger.available(person.account) == 3_000  # still held
    faulty.after = lambda _, answer: answer
    world.clock.advance(timedelta(seconds=16))
    await world.provider_works()
    await resume_stalled_withdrawals(world.context)
    await world.deliver()
    assert (await world.get(person, path))["status"] == "completed"
    assert len(faulty.named("payout")) == 1
    assert await payouts(world) == ["succeeded"]


async def test_while_the_provider_is_away_the_money_stays_held_and_the_same_reference_is_used_later(world: World):
    person = await world.person(balance=8_000)
    path = await withdrawal_of(world, person)
    faulty = faulty_provider(world)
    faulty.before = away
    for _ in range(4):
        await world.deliver()
        world.clock.advance(timedelta(seconds=16))
        await resume_stalled_withdrawals(world.context)
    await world.deliver()
    assert (await world.get(person, path))["status"] == "processing"
    assert world.ledger.available(person.account) == 3_000
    assert await payouts(world) == []
    faulty.before = lambda _: None
    world.clock.advance(timedelta(minutes=2))  # it is asked ever more rarely
    await resume_stalled_withdrawals(world.context)
    assert (await world.settle(person, path))["status"] == "completed"
    assert len(set(faulty.named("payout"))) == 1
    assert world.ledger.balances[person.account] == 3_000


async def test_a_reference_that_the_provider_has_never_seen_is_not_ordered_again_while_a_call_may_be_on_its_way(world: World):
    person = await world.person(balance=8_000)
    path = await withdrawal_of(world, person)
    faulty = faulty_provider(world)
    faulty.before = lambda operation: away(operation) if operation == "payout" else None
    await world.deliver()
    await run_payout_now(world, path)
    assert faulty.named("payout_sync") != []
    assert faulty.named("payout") == []
    faulty.before = lambda _: None
    await run_payout_now(world, path)
    assert faulty.named("payout") == []  # within the time that the first call may take
    world.clock.advance(timedelta(seconds=5))
    await run_payout_now(world, path)
    assert len(faulty.named("payout")) == 1
    assert (await world.settle(person, path))["status"] == "completed"


async def run_payout_now(world: World, path: str) -> None:
    await world.handle(RunPayout(withdrawal_id=UUID(path.rsplit("/", 1)[1])), source="payments")


@pytest.mark.parametrize("when", ["before the call", "after the call"])
async def test_a_worker_killed_around_the_payout_pays_once(world: World, when: str):
    person = await world.person(balance=8_000)
    path = await withdrawal_of(world, person)
    await world.deliver(HOLD)
    faulty = faulty_provider(world)

    def kill(*_: object) -> None:
        raise ProcessKilled

    if when == "before the call":
        faulty.before = kill
    else:
        faulty.after = kill
    (message,) = [one for one in await world.outbox() if one.type == RUN]
    with pytest.raises(ProcessKilled):
        await world.handle(RunPayout.model_validate(message.data), source="payments", envelope=message)
    faulty.before, faulty.after = (lambda _: None), (lambda _, answer: answer)
    for _ in range(3):  # delivered again and again
        await world.handle(RunPayout.model_validate(message.data), source="payments", envelope=message)
        world.clock.advance(timedelta(seconds=16))
    assert (await world.settle(person, path))["status"] == "completed"
    assert await payouts(world) == ["succeeded"]
    assert len(set(faulty.named("payout"))) == 1
    assert world.ledger.balances == {person.account: 3_000, "provider:sandbox:KES": 5_000}


async def test_every_message_twice_changes_nothing(world: World):
    person = await world.person(balance=8_000)
    path = await withdrawal_of(world, person)
    for _ in range(6):
        waiting = await world.outbox()
        await world.deliver()
        for envelope in waiting:
            await world._hand_over(envelope)
        world.clock.advance(timedelta(seconds=1))
        await world.provider_works()
    assert (await world.get(person, path))["status"] == "completed"
    assert world.ledger.balances == {person.account: 3_000, "provider:sandbox:KES": 5_000}
    assert await payouts(world) == ["succeeded"]
    assert len(await world.told("payments.withdrawal.completed")) == 1


@pytest.mark.parametrize("paid", [{"amount_minor": 4_999}, {"currency": "UGX"}, {"reference": "wdr_other"}], ids=str)
async def test_a_payout_that_is_not_what_was_ordered_books_nothing(world: World, paid: dict[str, Any]):
    person = await world.person(balance=8_000)
    path = await withdrawal_of(world, person)
    faulty = faulty_provider(world)
    facts = {"reference": f"wdr_{UUID(path.rsplit('/', 1)[1]).hex}", "amount_minor": 5_000, "currency": "KES", **paid}
    faulty.after = lambda _, answer: Success(Settled(provider_id="p", **facts))
    assert (await world.settle(person, path))["status"] == "processing"
    assert world.ledger.available(person.account) == 3_000
    assert world.ledger.balances == {person.account: 8_000}


async def test_a_pending_withdrawal_can_be_cancelled(world: World):
    person = await world.person(balance=8_000)
    path = await withdrawal_of(world, person)
    await world.deliver(HOLD)
    cancelled = await world.api.post(f"{path}/cancel", headers=person.headers)
    assert cancelled.status_code == 202
    assert (cancelled.json()["status"], cancelled.json()["cancel_requested"]) == ("pending", True)
    settled = await world.settle(person, path)
    assert (settled["status"], settled["failure"]) == ("cancelled", None)
    assert world.ledger.available(person.account) == 8_000
    assert await payouts(world) == []
    again = await world.api.post(f"{path}/cancel", headers=person.headers)
    assert (again.status_code, again.json()["status"]) == (202, "cancelled")
    assert len(await world.told("payments.withdrawal.cancelled")) == 1


@pytest.mark.parametrize(("balance", "available"), [(8_000, 8_000), (4_000, 4_000)], ids=["held", "too little money"])
async def test_a_withdrawal_can_be_cancelled_before_the_ledger_has_answered(world: World, balance: int, available: int):
    person = await world.person(balance=balance)
    path = await withdrawal_of(world, person)
    assert (await world.api.post(f"{path}/cancel", headers=person.headers)).status_code == 202
    assert (await world.settle(person, path))["status"] == "cancelled"
    assert world.ledger.available(person.account) == available
    assert world.ledger.holds == {}


async def test_once_the_provider_is_asked_it_is_too_late_to_cancel(world: World):
    person, other = await world.person(balance=8_000), await world.person()
    path = await withdrawal_of(world, person)
    assert (await world.api.post(f"{path}/cancel", headers=other.headers)).status_code == 404
    await world.deliver()
    for _ in range(2):
        late = await world.api.post(f"{path}/cancel", headers=person.headers)
        assert (late.status_code, late.json()["code"]) == (409, "withdrawal_not_cancellable")
        assert (await world.settle(person, path))["status"] == "completed"
    assert await payouts(world) == ["succeeded"]


async def test_cancelling_and_paying_at_once_exactly_one_wins(world: World):
    person = await world.person(balance=100_000)
    paths = [await withdrawal_of(world, person) for _ in range(8)]
    await world.deliver(HOLD)
    runs = [one for one in await world.outbox() if one.type == RUN]

    async def cancel(path: str) -> bool:
        try:
            await cancel_withdrawal(world.context, person.id, UUID(path.rsplit("/", 1)[1]))
        except WithdrawalNotCancellable:
            return False
        return True

    async def pay(envelope: Any) -> None:
        await world.handle(RunPayout.model_validate(envelope.data), source="payments", envelope=envelope)

    both = [step for pair in zip([pay(one) for one in runs], [cancel(path) for path in paths], strict=True) for step in pair]
    won = [outcome for outcome in await asyncio.gather(*both) if outcome is not None]
    statuses = [(await world.settle(person, path))["status"] for path in paths]
    assert statuses.count("cancelled") == won.count(True)
    assert statuses.count("completed") == won.count(False) == len(await payouts(world))
    assert statuses.count("cancelled") + statuses.count("completed") == 8
    assert world.ledger.balances[person.account] == 100_000 - 5_000 * won.count(False)


async def test_operators_can_push_but_never_pay_twice(world: World):
    person = await world.person(balance=8_000)
    path = await withdrawal_of(world, person)
    push = path.replace("/v1/", "/v1/admin/") + "/retry"
    assert (await world.api.post(push, headers=person.headers)).status_code == 403
    admin = bearer(new_id(), roles=("user", "admin"))
    faulty = faulty_provider(world)
    faulty.after = lambda _, answer: Unknown("nobody knows")
    await world.deliver()
    for _ in range(3):
        assert (await world.api.post(push, headers=admin)).status_code == 202
        await world.deliver()
    assert len(faulty.named("payout")) == 1
    faulty.after = lambda _, answer: answer
    world.clock.advance(timedelta(seconds=1))
    await world.owner.execute("UPDATE sandbox.payouts SET status = 'succeeded'")
    await world.api.post(push, headers=admin)
    assert (await world.settle(person, path))["status"] == "completed"
    over = await world.api.post(push, headers=admin)
    assert (over.status_code, over.json()["code"]) == (409, "withdrawal_settled")
    unknown = await world.api.post(f"/v1/admin/withdrawals/{new_id()}/retry", headers=admin)
    assert unknown.status_code == 404
    assert await payouts(world) == ["succeeded"]
    pushes = [(one["action"], one["subject_id"]) for one in await world.told("auth.action.taken")]
    assert pushes == [("withdrawal.retried", path.rsplit("/", 1)[1])] * 4, "what was refused was not done"


@pytest.mark.parametrize(
    ("account", "ends", "then"), [("fail-1234567", "failed", "succeeded"), ("1234567", "completed", "failed")]
)
async def test_a_provider_that_changes_its_mind_moves_nothing_and_operators_are_told(
    world: World, caplog: pytest.LogCaptureFixture, account: str, ends: str, then: str
):
    person = await world.person(balance=8_000)
    path = await withdrawal_of(world, person, destination={"account": account})
    assert (await world.settle(person, path))["status"] == ends
    await run_payout_now(world, path)
    assert "contradicts itself" not in caplog.text, "asked again, it says the same"
    balances = dict(world.ledger.balances)
    await world.owner.execute("UPDATE sandbox.payouts SET status = $1", then)
    faulty = faulty_provider(world)
    await run_payout_now(world, path)  # its webhook has come
    assert "a provider contradicts itself about a withdrawal" in caplog.text
    assert (await world.get(person, path))["status"] == ends
    assert faulty.named("payout") == []
    assert await world.outbox() == []
    assert (world.ledger.balances, world.ledger.holds) == (balances, {})


async def test_what_was_paid_is_not_ordered_again_by_a_provider_that_has_forgotten_it(world: World):
    person = await world.person(balance=8_000)
    path = await withdrawal_of(world, person)
    assert (await world.settle(person, path))["status"] == "completed"
    await world.owner.execute("DELETE FROM sandbox.payouts")
    world.clock.advance(timedelta(hours=1))
    faulty = faulty_provider(world)
    await run_payout_now(world, path)
    assert (faulty.named("payout"), len(faulty.named("payout_sync"))) == ([], 1)
    assert await payouts(world) == []


async def test_a_cancelled_withdrawal_is_never_asked_about(world: World):
    person = await world.person(balance=8_000)
    path = await withdrawal_of(world, person)
    await world.api.post(f"{path}/cancel", headers=person.headers)
    assert (await world.settle(person, path))["status"] == "cancelled"
    faulty = faulty_provider(world)
    await run_payout_now(world, path)
    assert faulty.calls == []


async def test_a_hold_command_that_is_lost_is_sent_again(world: World):
    person = await world.person(balance=8_000)
    path = await withdrawal_of(world, person)
    await world.owner.execute("UPDATE payments.outbox SET published_at = now()")
    assert (await world.settle(person, path))["status"] == "pending"
    world.clock.advance(timedelta(seconds=61))
    await resume_stalled_withdrawals(world.context)
    assert (await world.settle(person, path))["status"] == "completed"


BAD_INPUT: list[tuple[dict[str, Any], int, str]] = [
    ({"amount": 0}, 422, "validation_error"),
    ({"amount": -1}, 422, "validation_error"),
    ({"amount": 10**16}, 422, "validation_error"),
    ({"amount": 1.5}, 422, "validation_error"),
    ({"currency": "USD"}, 422, "currency_mismatch"),
    ({"currency": "ZZZ"}, 422, "validation_error"),
    ({"provider": "nobody"}, 422, "unknown_provider"),
    ({"destination": {}}, 422, "validation_error"),
    ({"destination": None}, 422, "validation_error"),
    ({"destination": "254700000001"}, 422, "validation_error"),
    ({"destination": {"account": 5}}, 422, "validation_error"),
    ({"destination": {"account": ""}}, 422, "validation_error"),
    ({"destination": {"account": "x" * 101}}, 422, "validation_error"),
    ({"destination": {"account": "a\u0000"}}, 422, "validation_error"),
    ({"destination": {"account": "   "}}, 422, "invalid_destination"),
    ({"destination": {"iban": "KE1"}}, 422, "invalid_destination"),
    ({"destination": {"account": "1", "more": "2"}}, 422, "invalid_destination"),
    ({"surprise": 1}, 422, "validation_error"),
]


async def test_bad_input_is_refused_clearly_and_leaves_nothing_behind(world: World):
    person = await world.person(balance=8_000)
    for changes, status, code in BAD_INPUT:
        answer = await world.withdraw(person, **changes)
        assert (answer.status_code, answer.json()["code"]) == (status, code), (changes, answer.text)
    missing = await world.api.post("/v1/withdrawals", json={}, headers=person.headers)
    assert missing.json()["code"] in ("idempotency_key_missing", "validation_error")
    unverified = await world.withdraw(person, headers=bearer(person.id, email_verified=False))
    assert (unverified.status_code, unverified.json()["code"]) == (403, "email_unverified")
    somebody = await world.person()
    stolen = await world.withdraw(somebody, wallet_id=str(person.wallet_id))
    assert (stolen.status_code, stolen.json()["code"]) == (404, "wallet_not_found")
    assert await world.owner.fetchval("SELECT count(*) FROM payments.withdrawals") == 0
    assert await world.outbox() == []


async def test_everybody_sees_their_own_newest_first(world: World):
    person, other = await world.person(balance=50_000), await world.person()
    paths = [await withdrawal_of(world, person) for _ in range(3)]
    page = await world.get(person, "/v1/withdrawals?limit=2")
    assert [f"/v1/withdrawals/{item['id']}" for item in page["items"]] == [paths[2], paths[1]]
    page = await world.get(person, f"/v1/withdrawals?limit=2&cursor={page['next_cursor']}")
    assert [f"/v1/withdrawals/{item['id']}" for item in page["items"]] == [paths[0]]
    assert (await world.get(other, "/v1/withdrawals"))["items"] == []
    hidden = await world.api.get(paths[0], headers=other.headers)
    assert (hidden.status_code, hidden.json()["code"]) == (404, "withdrawal_not_found")
