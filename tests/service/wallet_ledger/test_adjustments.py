"""Corrections that two people agree on: who may, when, what is posted, and what is left when something dies between."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from services.wallet_ledger.commands import decide_adjustment
from services.wallet_ledger.commands.decide_adjustment import expire_adjustments
from services.wallet_ledger.commands.post_adjustment import post_approved_adjustments
from services.wallet_ledger.domain.problems import LedgerBusy
from shared.ids import new_id
from tests.service.wallet_ledger.conftest import World, move, transaction
from tests.support.identity import bearer

ONE_ID, TWO_ID = new_id(), new_id()
ONE, TWO = bearer(ONE_ID, roles=("admin",)), bearer(TWO_ID, roles=("admin",))
PROVIDER = "provider:test:KES"


async def post(world: World, path: str, headers: dict[str, str], body: Any = None, key: str | None = None) -> Any:
    headers = headers | {"Idempotency-Key": key or str(new_id())}
    return await world.client.post(f"/v1/admin/ledger{path}", json=body, headers=headers)


def entry(debit: str, credit: str, amount: int) -> dict[str, Any]:
    return {"debit_account": debit, "credit_account": credit, "amount": amount, "currency": "KES"}


async def ask(world: World, *entries: dict[str, Any]) -> Any:
    answer = await post(world, "/adjustments", ONE, {"entries": list(entries), "reason": "A test"})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def approve(world: World, adjustment: Any, headers: dict[str, str] = TWO, key: str | None = None) -> Any:
    return await post(world, f"/adjustments/{adjustment['id']}/approve", headers, key=key)


async def actions(world: World) -> list[tuple[str, str | None]]:
    return [(one["action"], one["actor_id"]) for one in await world.events("auth.action.taken")]


async def test_two_people_move_money_once(world: World) -> None:
    ann = await world.person(1_000)
    body = {"entries": [entry("suspense:KES", ann.account, 250), entry(ann.account, "fees:KES", 50)], "reason": "Found it"}
    asked = await post(world, "/adjustments", ONE, body, key="k")
    again = await post(world, "/adjustments", ONE, body, key="k")
    other = await post(world, "/adjustments", ONE, body | {"reason": "Else"}, key="k")
    assert (asked.status_code, asked.json()["status"], asked.json()["outcome"]) == (201, "awaiting_approval", None)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (asked.json(), "true")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert await world.balance(ann.account) == (1_000, 0)

    own = await approve(world, asked.json(), ONE)
    assert (own.status_code, own.json()["code"]) == (403, "second_person_required")
    answers = await asyncio.gather(*(approve(world, asked.json()) for _ in range(4)), approve(world, asked.json(), key="same"))
    replay = await approve(world, asked.json(), key="same")

    assert {answer.status_code for answer in answers} == {200}
    done = replay.json()
    assert replay.headers["Idempotent-Replayed"] == "true"
    assert (done["status"], done["outcome"], done["decided_by"]) == ("approved", "posted", str(TWO_ID))
    assert await world.balance(ann.account) == (1_200, 0)
    posted = (await world.client.get(f"/v1/admin/ledger/transactions/{done['transaction_id']}", headers=ONE)).json()
    assert (posted["kind"], posted["initiated_by"], len(posted["postings"])) == ("adjustment", str(ONE_ID), 2)
    assert await actions(world) == [
        ("adjustment.requested", str(ONE_ID)), ("adjustment.approved", str(TWO_ID)), ("adjustment.posted", str(TWO_ID)),
    ]  # fmt: skip
    (told,) = await world.events("wallet_ledger.wallet.corrected")
    assert (told["wallet_id"], told["direction"], told["amount_minor"]) == (str(ann.wallet_id), "credit", 200)
    assert told["user_id"] == str(ann.id)
    listed = (await world.client.get("/v1/admin/ledger/adjustments?status=approved", headers=ONE)).json()["items"]
    assert listed == [done]


async def test_what_the_ledger_refuses_moves_nothing(world: World) -> None:
    ann = await world.person(10)
    adjustment = await ask(world, entry(ann.account, "fees:KES", 11))

    refused = await approve(world, adjustment, key="k")
    again = await approve(world, adjustment, key="k")

    assert (refused.status_code, refused.json()["code"], refused.json()["rejection_code"]) == (
        409, "adjustment_rejected", "insufficient_funds",
    )  # fmt: skip
    assert (again.status_code, again.json()["code"], again.headers["Idempotent-Replayed"]) == (409, "adjustment_rejected", "true")
    found = (await world.client.get(f"/v1/admin/ledger/adjustments/{adjustment['id']}", headers=ONE)).json()
    assert (found["status"], found["outcome"], found["rejection_code"]) == ("approved", "rejected", "insufficient_funds")
    assert await world.balance(ann.account) == (10, 0)
    assert await world.events("wallet_ledger.wallet.corrected") == []


@pytest.mark.parametrize(
    ("debit", "credit", "field"),
    [
        ("fees:KES", "fees:KES", "entries.0.credit_account"),
        ("fees:USD", "reserve:KES", "entries.0.debit_account"),
        ("fees:KES", "wallet:01980a2e-7c3b-7b1e-9c55-2f6d0e1b4a77", "entries.0.credit_account"),
        ("nonsense", "fees:KES", "entries.0.debit_account"),
    ],
)
async def test_what_could_never_be_posted_is_not_asked_for(world: World, debit: str, credit: str, field: str) -> None:
    answer = await post(world, "/adjustments", ONE, {"entries": [entry(debit, credit, 1)], "reason": "A test"})
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])


async def test_a_no_is_final(world: World) -> None:
    adjustment = await ask(world, entry("suspense:KES", "fees:KES", 1))
    declined = await post(world, f"/adjustments/{adjustment['id']}/decline", ONE, {"reason": "My mistake"})
    late = await approve(world, adjustment)
    assert (declined.status_code, declined.json()["status"], declined.json()["decision_reason"]) == (
        200,
        "declined",
        "My mistake",
    )
    assert (late.status_code, late.json()["code"]) == (409, "adjustment_not_awaiting")
    assert await actions(world) == [("adjustment.requested", str(ONE_ID)), ("adjustment.declined", str(ONE_ID))]


async def test_nobody_decided_in_time(world: World) -> None:
    adjustment = await ask(world, entry("suspense:KES", "fees:KES", 1))
    await expire_adjustments(world.context)
    still = (await world.client.get(f"/v1/admin/ledger/adjustments/{adjustment['id']}", headers=ONE)).json()
    assert still["status"] == "awaiting_approval"

    await world.owner.execute(
        "UPDATE wallet_ledger.adjustments SET expires_at = $1", world.context.clock.now() - timedelta(seconds=1)
    )
    late = await approve(world, adjustment)
    assert (late.status_code, late.json()["code"]) == (409, "adjustment_not_awaiting")
    await expire_adjustments(world.context)
    over = (await world.client.get(f"/v1/admin/ledger/adjustments/{adjustment['id']}", headers=ONE)).json()
    assert (over["status"], over["decided_by"]) == ("expired", None)
    assert await actions(world) == [("adjustment.requested", str(ONE_ID)), ("adjustment.expired", None)]


async def test_an_approval_that_dies_before_the_posting_is_brought_to_its_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    adjustment = await ask(world, entry(PROVIDER, "fees:KES", 70))

    async def killed(*_: Any) -> None:
        raise ConnectionError("the process was killed")

    with monkeypatch.context() as patch:
        patch.setattr(decide_adjustment, "post_adjustment", killed)
        assert (await approve(world, adjustment, key="k")).status_code == 503
    found = (await world.client.get(f"/v1/admin/ledger/adjustments/{adjustment['id']}", headers=ONE)).json()
    assert (found["status"], found["outcome"], found["transaction_id"]) == ("approved", None, None)

    await post_approved_adjustments(world.context)  # not yet: whoever approved it may be at it
    assert not await world.owner.fetchval("SELECT count(*) FROM wallet_ledger.transactions")
    monkeypatch.setattr("services.wallet_ledger.commands.post_adjustment._LEFT_ALONE", timedelta())
    await post_approved_adjustments(world.context)
    await post_approved_adjustments(world.context)

    assert await world.balance("fees:KES") == (70, 0)
    again = await approve(world, adjustment, key="k")
    assert (again.status_code, again.json()["outcome"]) == (200, "posted")
    assert [action for action, _ in await actions(world)].count("adjustment.posted") == 1


async def test_a_busy_ledger_posts_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    adjustment = await ask(world, entry(PROVIDER, "fees:KES", 70))

    async def busy(*_: Any, **__: Any) -> None:
        raise LedgerBusy("Come back.")

    with monkeypatch.context() as patch:
        patch.setattr(world.poster, "post", busy)
        waiting = await approve(world, adjustment)
    assert (waiting.status_code, waiting.json()["outcome"]) == (202, None)
    monkeypatch.setattr("services.wallet_ledger.commands.post_adjustment._LEFT_ALONE", timedelta())
    await post_approved_adjustments(world.context)
    assert await world.balance("fees:KES") == (70, 0)


async def test_a_large_reversal_needs_two_people_and_a_small_one_does_not(world: World) -> None:
    limit = world.context.settings.ledger_reversal_alone_minor
    ann = await world.person()
    small, large = await world.fund(ann.account, limit), await world.fund(ann.account, limit + 1)

    alone = await post(world, f"/transactions/{small.transaction_id}/reverse", ONE, {"reason": "Booked twice"})
    asked = await post(world, f"/transactions/{large.transaction_id}/reverse", ONE, {"reason": "Booked twice"}, key="k")
    again = await post(world, f"/transactions/{large.transaction_id}/reverse", ONE, {"reason": "Booked twice"}, key="k")
    twice = await post(world, f"/transactions/{large.transaction_id}/reverse", TWO, {"reason": "Me too"})

    assert (alone.status_code, alone.json()["reverses_id"]) == (201, str(small.transaction_id))
    assert (asked.status_code, asked.json()["kind"], asked.json()["reverses_id"]) == (202, "reversal", str(large.transaction_id))
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (asked.json(), "true")
    assert (twice.status_code, twice.json()["code"]) == (409, "reversal_awaiting_approval")
    assert await world.balance(ann.account) == (limit + 1, 0)
    assert (await approve(world, asked.json(), ONE)).status_code == 403
    done = await approve(world, asked.json())
    assert (done.status_code, done.json()["outcome"]) == (200, "posted")
    assert await world.balance(ann.account) == (0, 0)
    found = (await world.client.get(f"/v1/admin/ledger/transactions/{large.transaction_id}", headers=ONE)).json()
    assert found["reversed_by_id"] == done.json()["transaction_id"]
    late = await post(world, f"/transactions/{large.transaction_id}/reverse", TWO, {"reason": "Once more"})
    assert (late.status_code, late.json()["code"]) == (409, "already_reversed")
    assert [action for action, _ in await actions(world)] == [
        "transaction.reversed", "adjustment.requested", "adjustment.approved", "adjustment.posted",
    ]  # fmt: skip
    assert [one["kind"] for one in await world.events("wallet_ledger.wallet.corrected")] == ["reversal", "reversal"]


async def test_the_database_itself_asks_for_a_second_person(world: World) -> None:
    adjustment = await ask(world, entry("suspense:KES", "fees:KES", 1))
    change = "UPDATE wallet_ledger.adjustments SET {} WHERE id = $1"
    for forged in (
        "status = 'approved', decided_by = requested_by, decided_at = now()",
        "reason = 'Another'",
        "entries = '[]'",
        "requested_by = gen_random_uuid()",
    ):
        with pytest.raises(Exception, match="adjustment"):
            await world.owner.execute(change.format(forged), adjustment["id"])
    with pytest.raises(Exception, match="kept for ever"):
        await world.owner.execute("DELETE FROM wallet_ledger.adjustments")


async def test_a_verification_is_in_the_audit_log(world: World) -> None:
    await world.poster.post(transaction(move(PROVIDER, "fees:KES", 1)))
    assert (await world.client.post("/v1/admin/ledger/verify", headers=ONE)).json()["sound"] is True
    (action,) = await world.events("auth.action.taken")
    assert (action["action"], action["actor_id"], action["after"]["sound"]) == ("ledger.verified", str(ONE_ID), True)
