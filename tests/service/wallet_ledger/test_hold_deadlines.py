"""A hold ends at its deadline: for whoever reads, for whoever would settle it, and then for the sweep."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from services.wallet_ledger.commands.expire_holds import expire_holds
from services.wallet_ledger.domain.entries import Hold, PostHold
from shared.clock import FixedClock
from shared.ids import new_id
from tests.service.wallet_ledger.conftest import NOON, Person, World, running_world, transaction


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
async def world(database_url: str, owner: asyncpg.Connection, clock: FixedClock) -> AsyncIterator[World]:
    async with running_world(database_url, owner, clock) as world:
        yield world


async def seen(world: World, who: Person) -> tuple[Any, ...]:
    """Balance, held and available, as the wallet says and as the list of wallets says."""
    wallet = (await world.client.get(f"/v1/wallets/{who.wallet_id}", headers=who.headers)).json()
    (listed,) = (await world.client.get("/v1/wallets", headers=who.headers)).json()["items"]
    assert listed == wallet
    return wallet["balance"], wallet["held"], wallet["available"]


async def test_a_hold_is_over_at_its_deadline_for_whoever_reads(world: World, clock: FixedClock) -> None:
    ann, bo = await world.person(1_000), await world.person()
    until = [None, NOON + timedelta(minutes=1), NOON + timedelta(minutes=2)]
    holds = [Hold(new_id(), ann.account, bo.account, 100 + n, "KES", expires_at=end) for n, end in enumerate(until)]
    assert (await world.poster.post(transaction(*holds))).posted
    assert await seen(world, ann) == (1_000, 303, 697)

    clock.advance(timedelta(minutes=1))
    assert await seen(world, ann) == (1_000, 202, 798)
    assert (await world.poster.post(transaction(PostHold(holds[1].id)))).code == "hold_expired"
    assert await world.balance(ann.account) == (1_000, 303)  # nobody has swept yet

    clock.advance(timedelta(minutes=1))
    assert await seen(world, ann) == (1_000, 100, 900)
    await expire_holds(world.context)
    assert await seen(world, ann) == (1_000, 100, 900)
    assert await world.balance(ann.account) == (1_000, 100)
    assert (await world.poster.post(transaction(PostHold(holds[0].id)))).posted
    assert await seen(world, ann) == (900, 0, 900)
