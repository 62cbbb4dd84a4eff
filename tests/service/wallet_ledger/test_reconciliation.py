"""Every night each balance is compared with its entries; and what was moved of providers' accounts is told."""

import asyncio
from datetime import timedelta
from typing import Any

from services.wallet_ledger.commands.keep_trial_balances import keep_trial_balances
from services.wallet_ledger.commands.reconcile_ledger import reconcile_night
from services.wallet_ledger.commands.tell_provider_movements import tell_provider_movements
from services.wallet_ledger.domain.entries import Hold, PostHold
from shared.ids import new_id
from tests.service.wallet_ledger.conftest import World, move, transaction
from tests.support.identity import bearer

ADMIN_ID = new_id()
ADMIN = bearer(ADMIN_ID, roles=("admin",))
PROVIDER = "provider:test:KES"


async def play(world: World) -> None:
    ann, bo = await world.person(10_000), await world.person()
    promise = Hold(new_id(), ann.account, PROVIDER, 700, "KES")
    assert (await world.poster.post(transaction(move(ann.account, bo.account, 300), promise))).posted
    assert (await world.poster.post(transaction(PostHold(promise.id, 500)))).posted
    assert (await world.poster.post(transaction(Hold(new_id(), ann.account, "fees:KES", 60, "KES")))).posted
    assert not (await world.poster.post(transaction(move("fees:KES", PROVIDER, 1)))).posted


async def runs(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await world.client.get("/v1/admin/ledger/reconciliations", headers=ADMIN)).json()["items"]
    return found


async def test_a_night_is_compared_once_and_an_operator_may_ask_again(world: World) -> None:
    await play(world)

    await asyncio.gather(reconcile_night(world.context), keep_trial_balances(world.context))
    await reconcile_night(world.context)
    asked = await world.client.post("/v1/admin/ledger/reconciliations", headers=ADMIN)

    assert asked.status_code == 201, asked.text
    by_operator, by_night = await runs(world)
    assert by_operator == asked.json()
    assert (by_operator["started_by"], by_night["started_by"]) == (str(ADMIN_ID), None)
    for run in (by_operator, by_night):
        assert (run["balanced"], run["mismatches"], run["accounts"], run["transfers"]) == (True, [], 4, 5)
    assert by_night["day"] == str(world.context.clock.now().date() - timedelta(days=1))
    assert [one["action"] for one in await world.events("auth.action.taken")] == ["ledger.reconciled"]
    assert await world.events("wallet_ledger.reconciliation.mismatch_found") == []


async def test_a_changed_balance_is_found_and_told(world: World) -> None:
    await play(world)
    world.tampered = True
    async with world.owner.transaction():
        await world.owner.execute("SET LOCAL session_replication_role = replica")
        await world.owner.execute(
            "UPDATE wallet_ledger.accounts SET credits_posted_minor = credits_posted_minor + 7 WHERE address = $1", PROVIDER
        )

    await reconcile_night(world.context)

    (run,) = await runs(world)
    assert (run["balanced"], run["mismatch_count"]) == (False, 3)
    assert [one["where"] for one in run["mismatches"]] == [PROVIDER, "trial balance of provider in KES", "all accounts in KES"]
    assert run["mismatches"][0]["what"] == "credits 507 instead of 500"
    (told,) = await world.events("wallet_ledger.reconciliation.mismatch_found")
    assert (told["reconciliation_id"], told["mismatch_count"]) == (run["id"], 3)
    assert PROVIDER in told["first"]


async def test_lost_entries_and_forgotten_holds_are_found(world: World) -> None:
    await play(world)
    world.tampered = True
    async with world.owner.transaction():
        await world.owner.execute("SET LOCAL session_replication_role = replica")
        await world.owner.execute("UPDATE wallet_ledger.holds SET amount_minor = 61 WHERE status = 'pending'")
        await world.owner.execute("DELETE FROM wallet_ledger.transfers WHERE amount_minor = 300")
    await reconcile_night(world.context)
    (run,) = await runs(world)
    places = [one["where"] for one in run["mismatches"]]
    assert sum(place.startswith("wallet:") for place in places) == 2
    assert {"the journal", "holds in KES", "trial balance of wallet in KES"} <= set(places)


async def test_what_moved_of_a_providers_account_is_told_once(world: World) -> None:
    await play(world)
    await asyncio.gather(*(tell_provider_movements(world.context) for _ in range(3)))
    told = await world.events("wallet_ledger.provider_account.moved")
    assert [(one["account"], one["debit_minor"], one["credit_minor"], one["provider"]) for one in told] == [
        (PROVIDER, 10_000, 0, "test"), (PROVIDER, 0, 500, "test"),
    ]  # fmt: skip

    both = transaction(move(PROVIDER, "fees:KES", 40), move("fees:KES", PROVIDER, 15), move(PROVIDER, "provider:other:KES", 5))
    assert (await world.poster.post(both)).posted
    await tell_provider_movements(world.context)
    await tell_provider_movements(world.context)
    told = (await world.events("wallet_ledger.provider_account.moved"))[2:]
    assert [(one["account"], one["debit_minor"], one["credit_minor"]) for one in told] == [
        ("provider:other:KES", 0, 5), (PROVIDER, 45, 15),
    ]  # fmt: skip
    assert {one["transaction_id"] for one in told} == {str(both.id)}
