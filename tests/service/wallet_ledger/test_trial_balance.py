"""The trial balance now and at any instant, and the points that are kept of it."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from services.wallet_ledger.commands import keep_trial_balances as keeping
from services.wallet_ledger.domain.entries import Hold, PostHold
from shared.clock import FixedClock
from shared.ids import new_id
from tests.service.wallet_ledger.conftest import World, move, transaction
from tests.support.identity import bearer


async def trial_balance(world: World, **asked: Any) -> Any:
    headers = bearer(new_id(), roles=("support",))
    answer = await world.client.get("/v1/admin/ledger/trial-balance", params=asked, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def play(world: World) -> list[tuple[datetime, Any]]:
    """Money of two currencies comes, moves and is held; the trial balance after each step."""
    ann, ben = await world.person(10_000), await world.person(500)
    held = Hold(new_id(), ann.account, "fees:KES", 700, "KES")
    steps = [
        transaction(move(ann.account, ben.account, 100)),
        transaction(move("provider:test:JPY", "fees:JPY", 9, "JPY")),
        transaction(held),
        transaction(move(ben.account, ann.account, 10**9)),
        transaction(PostHold(held.id, 300)),
    ]
    seen = []
    for step in steps:
        await world.poster.post(step)
        seen.append((datetime.now(UTC), await trial_balance(world)))
        await asyncio.sleep(0.003)
    return seen


async def test_at_an_instant_it_is_what_it_was_then(world: World) -> None:
    before = datetime.now(UTC)
    seen = await play(world)

    for instant, then in seen:
        assert await trial_balance(world, at=instant.isoformat()) == then
    assert (await trial_balance(world, at=before.isoformat()))["lines"] == []
    assert [total["pending_debits"] for total in seen[2][1]["totals"]] == [0, 700]
    yen = await trial_balance(world, at="9999-12-31T23:59:59.999999Z", currency="JPY")
    assert [(line["kind"], line["balance"]) for line in yen["lines"]] == [("fees", 9), ("provider", -9)]


@pytest.mark.parametrize("transactions_a_point", [1, 2, 3])
async def test_kept_points_change_no_answer(
    world: World, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, transactions_a_point: int
) -> None:
    monkeypatch.setattr(keeping, "_TRANSACTIONS_A_POINT", transactions_a_point)
    seen = await play(world)

    await keeping.keep_trial_balances(world.context)

    points = await owner.fetch("SELECT DISTINCT sequence FROM wallet_ledger.trial_balances ORDER BY 1")
    assert [point["sequence"] for point in points] == list(range(transactions_a_point, 7, transactions_a_point))
    for instant, then in seen:
        assert await trial_balance(world, at=instant.isoformat()) == then


async def test_a_journal_that_begins_with_rejections_has_points_too(
    world: World, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "_TRANSACTIONS_A_POINT", 2)
    for _ in range(5):
        assert not (await world.poster.post(transaction(move("fees:KES", "reserve:KES", 1)))).posted
    seen = await play(world)

    await keeping.keep_trial_balances(world.context)

    points = await owner.fetch("SELECT DISTINCT sequence FROM wallet_ledger.trial_balances ORDER BY 1")
    assert [point["sequence"] for point in points] == [6, 8, 10]
    for instant, then in seen:
        assert await trial_balance(world, at=instant.isoformat()) == then


async def test_a_day_that_is_over_is_kept_once(world: World, owner: asyncpg.Connection) -> None:
    await play(world)
    count = "SELECT count(*), min(sequence), max(sequence) FROM wallet_ledger.trial_balances"

    await keeping.keep_trial_balances(world.context)
    assert tuple(await owner.fetchrow(count)) == (0, None, None)
    tomorrow = replace(world.context, clock=FixedClock(datetime.now(UTC) + timedelta(days=1)))
    for _ in range(2):
        await keeping.keep_trial_balances(tomorrow)
        assert tuple(await owner.fetchrow(count)) == (5, 7, 7)


async def test_kept_points_are_only_added_to(world: World, owner: asyncpg.Connection) -> None:
    await play(world)
    tomorrow = replace(world.context, clock=FixedClock(datetime.now(UTC) + timedelta(days=1)))
    await keeping.keep_trial_balances(tomorrow)

    for change in ("UPDATE wallet_ledger.trial_balances SET debits_minor = 0", "DELETE FROM wallet_ledger.trial_balances",
                   "TRUNCATE wallet_ledger.trial_balances"):  # fmt: skip
        with pytest.raises(asyncpg.RestrictViolationError):
            await owner.execute(change)
    assert await owner.fetchval("SELECT sum(debits_minor) FROM wallet_ledger.trial_balances WHERE currency = 'JPY'") == 9
