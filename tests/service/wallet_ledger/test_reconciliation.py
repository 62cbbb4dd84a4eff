"""Every night each balance is compared with its entries; and what was moved of providers' accounts is told."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.wallet_ledger.commands.keep_trial_balances import keep_trial_balances
from services.wallet_ledger.commands.reconcile_ledger import reconcile_night
from services.wallet_ledger.commands.seal_blocks import seal_blocks
from services.wallet_ledger.commands.tell_provider_movements import tell_provider_movements
from services.wallet_ledger.domain.entries import Hold, PostHold, VoidHold
from services.wallet_ledger.store.reconciliation import Reconciliations, snapshot
from services.wallet_ledger.store.reconciliation_since import compare_since
from shared.clock import FixedClock
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


@pytest.fixture
def days(world: World) -> World:
    """The service, whose jobs have a clock that the test moves."""
    clock = FixedClock(world.context.clock.now())
    world.service = replace(world.service, context=replace(world.context, clock=clock))
    return world


async def test_a_night_is_compared_once_and_an_operator_may_ask_again(days: World) -> None:
    await play(days)

    await asyncio.gather(reconcile_night(days.context), keep_trial_balances(days.context))
    await reconcile_night(days.context)
    asked = await days.client.post("/v1/admin/ledger/reconciliations", headers=ADMIN)

    assert asked.status_code == 201, asked.text
    by_operator, by_night = await runs(days)
    assert by_operator == asked.json()
    assert (by_operator["started_by"], by_night["started_by"]) == (str(ADMIN_ID), None)
    for run in (by_operator, by_night):
        assert (run["balanced"], run["mismatches"], run["accounts"], run["transfers"]) == (True, [], 4, 5)
    assert by_night["day"] == str(days.context.clock.now().date() - timedelta(days=1))
    assert [one["action"] for one in await days.events("auth.action.taken")] == ["ledger.reconciled"]
    assert await days.events("wallet_ledger.reconciliation.mismatch_found") == []


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


async def night(world: World, **later: float) -> dict[str, Any]:
    """The comparison of the night after so much more time."""
    clock = world.context.clock
    assert isinstance(clock, FixedClock)
    clock.advance(timedelta(**later))
    await seal_blocks(world.context)
    await reconcile_night(world.context)
    return (await runs(world))[0]


async def test_a_night_adds_up_what_the_day_brought(days: World) -> None:
    await play(days)
    first = await night(days)
    assert (first["after_sequence"], first["accounts"], first["transfers"], first["balanced"]) == (0, 4, 5, True)

    ann, bo = await days.person(500), await days.person()
    promise, later = Hold(new_id(), ann.account, bo.account, 70, "KES"), Hold(new_id(), ann.account, bo.account, 30, "KES")
    assert (await days.poster.post(transaction(move(ann.account, bo.account, 100), promise, later))).posted
    assert not (await days.poster.post(transaction(move("fees:KES", PROVIDER, 1)))).posted
    second = await night(days, days=1)
    assert (second["after_sequence"], second["accounts"], second["transfers"]) == (first["last_sequence"], 3, 4)
    assert second["balanced"], second["mismatches"]

    assert (await days.poster.post(transaction(PostHold(promise.id, 50), VoidHold(later.id)))).posted
    third = await night(days, days=1)
    assert (third["after_sequence"], third["accounts"], third["transfers"]) == (second["last_sequence"], 2, 2)
    assert third["balanced"], third["mismatches"]
    quiet = await night(days, days=1)
    assert (quiet["after_sequence"], quiet["accounts"], quiet["transfers"]) == (third["last_sequence"], 0, 0)
    assert quiet["balanced"], quiet["mismatches"]

    weekly = await night(days, days=4)
    assert (weekly["after_sequence"], weekly["accounts"], weekly["transfers"], weekly["balanced"]) == (0, 6, 11, True)
    assert (await night(days, days=1))["after_sequence"] == weekly["last_sequence"]


async def tamper(world: World, *statements: str) -> None:
    """Change a row with each statement, as a superuser whom no trigger stops."""
    world.tampered = True
    async with world.owner.transaction():
        await world.owner.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            assert (await world.owner.execute(statement)).split()[-1] == "1", statement


NEW_FAULTS = {
    "an amount": ("UPDATE wallet_ledger.transfers SET amount_minor = 101 WHERE amount_minor = 100", "wallet:"),
    "a balance after": (
        "UPDATE wallet_ledger.transfers SET debit_balance_after_minor = 401 WHERE amount_minor = 100", "block 2",
    ),
    "a lost transfer": ("DELETE FROM wallet_ledger.transfers WHERE amount_minor = 100", "the journal"),
    "a lost transaction": ("DELETE FROM wallet_ledger.transactions WHERE kind = 'new'", "the journal"),
    "a balance": (
        "UPDATE wallet_ledger.accounts SET credits_posted_minor = 101 WHERE credits_posted_minor = 100", "wallet:",
    ),
    "a promise": ("UPDATE wallet_ledger.accounts SET debits_pending_minor = 0 WHERE debits_pending_minor = 70", "wallet:"),
    "a hold": ("UPDATE wallet_ledger.holds SET amount_minor = 71 WHERE amount_minor = 70", "hold "),
    "an account": ("DELETE FROM wallet_ledger.accounts WHERE credits_posted_minor = 100", "account "),
    "a description": ("UPDATE wallet_ledger.transactions SET description = 'x' WHERE kind = 'new'", "block 2"),
    "the last comparison's block": ("UPDATE wallet_ledger.blocks SET hash = sha256('x') WHERE number = 1", "block 1"),
}  # fmt: skip


@pytest.mark.parametrize("fault", NEW_FAULTS)
async def test_what_was_changed_since_the_last_night_is_found(days: World, fault: str) -> None:
    await play(days)
    ann, bo = await days.person(500), await days.person()
    assert (await night(days))["balanced"]
    entries = (move(ann.account, bo.account, 100), Hold(new_id(), ann.account, bo.account, 70, "KES"))
    assert (await days.poster.post(transaction(*entries, kind="new"))).posted
    await seal_blocks(days.context)
    statement, where = NEW_FAULTS[fault]
    await tamper(days, statement)

    run = await night(days, days=1)

    assert run["after_sequence"] > 0
    assert not run["balanced"]
    assert any(one["where"].startswith(where) for one in run["mismatches"]), run["mismatches"]
    # And what is wrong is never taken for a beginning.
    assert (await night(days, days=1))["after_sequence"] == 0


OLD_FAULTS = {
    "an amount": "UPDATE wallet_ledger.transfers SET amount_minor = 301 WHERE amount_minor = 300",
    "a description": "UPDATE wallet_ledger.transactions SET description = 'x' WHERE sequence = 2",
    "totals": "UPDATE wallet_ledger.accounts SET debits_posted_minor = 9, credits_posted_minor = 9 WHERE address = 'fees:KES'",
    "a balance after": "UPDATE wallet_ledger.transfers SET credit_balance_after_minor = 301 WHERE amount_minor = 300",
    "a hold": "UPDATE wallet_ledger.holds SET amount_minor = 61 WHERE status = 'pending'",
}


@pytest.mark.parametrize("fault", OLD_FAULTS)
async def test_what_was_changed_of_long_ago_is_found_by_the_full_pass(days: World, fault: str) -> None:
    await play(days)
    assert (await night(days))["balanced"]
    await tamper(days, OLD_FAULTS[fault])

    assert (await night(days, days=1))["balanced"]  # nothing moved: no row of it was read
    assert not (await days.verify()).sound
    asked = await days.client.post("/v1/admin/ledger/reconciliations", headers=ADMIN)
    assert (asked.json()["after_sequence"], asked.json()["balanced"]) == (0, False), asked.json()


_ROWS_READ = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'transfers'"


async def test_a_night_reads_the_days_rows_and_no_others(days: World) -> None:
    """However long the journal is: PostgreSQL says how many rows it has read."""
    ann, bo = await days.person(10_000), await days.person()
    for _ in range(20):
        assert (await days.poster.post(transaction(*[move(ann.account, bo.account, 1) for _ in range(100)]))).posted
    assert (await night(days))["transfers"] == 2_001
    assert (await days.poster.post(transaction(move(ann.account, bo.account, 1)))).posted
    await seal_blocks(days.context)
    async with days.context.read() as connection:
        point = await Reconciliations(connection).point_for(days.context.clock.now().date())
    assert point is not None

    async with snapshot(days.context.database) as connection:
        before = int((await connection.exec_driver_sql(_ROWS_READ)).scalar_one())
        found = await compare_since(connection, point)
        rows = int((await connection.exec_driver_sql(_ROWS_READ)).scalar_one()) - before

    assert (found.transfers, found.accounts, found.mismatch_count) == (1, 2, 0)
    assert 0 < rows < 50


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
