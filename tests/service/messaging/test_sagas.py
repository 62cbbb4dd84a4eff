"""Sagas as rows: one writer at a time, versions, and sweeps that share the work."""

import asyncio
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import ClassVar
from uuid import UUID, uuid4

import asyncpg
import pytest

from shared.messaging.envelope import Event
from shared.sagas import DEADLINE_PASSED, Definition, Saga, SagaData, SagaStore, Step, ignored
from shared.sagas.store import StaleSaga
from tests.support.messaging import Platform

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


class Paid(Event):
    """Somebody paid."""

    type: ClassVar[str] = "saga_store_tests.order.paid"


class State(StrEnum):
    UNPAID = "unpaid"
    PAID = "paid"


class Order(SagaData):
    amount_minor: int
    customer: UUID
    due: datetime


ORDER = Definition(
    kind="order",
    data=Order,
    start=State.UNPAID,
    final={State.PAID},
    triggers={Paid, DEADLINE_PASSED},
    deadlines={State.UNPAID: timedelta(hours=1)},
    table={
        (State.UNPAID, Paid): Step(State.PAID),
        (State.UNPAID, DEADLINE_PASSED): Step(State.UNPAID),
        **ignored(State.PAID, Paid, DEADLINE_PASSED),
    },
)


def begun(now: datetime = NOW) -> Saga[Order]:
    return ORDER.begin(uuid4(), Order(amount_minor=10**15, customer=uuid4(), due=NOW), now)


async def add(platform: Platform, *sagas: Saga[Order]) -> None:
    async with platform.sender.context.unit_of_work() as work:
        for saga in sagas:
            assert await SagaStore(work.connection).add(saga)


async def test_what_is_saved_loads_equal_and_one_version_on(platform: Platform) -> None:
    saga = begun()
    await add(platform, saga)
    async with platform.sender.context.unit_of_work() as work:
        sagas = SagaStore(work.connection)
        assert await sagas.load(ORDER, saga.id) == saga
        assert await sagas.load(ORDER, uuid4()) is None
        paid, _ = ORDER.advance(saga, Paid(), NOW)
        await sagas.save(paid)
    async with platform.sender.context.unit_of_work() as work:
        loaded = await SagaStore(work.connection).load(ORDER, saga.id)
    assert loaded is not None
    assert (loaded.state, loaded.data, loaded.deadline_at, loaded.version) == (State.PAID, saga.data, None, 1)


async def test_a_saga_begins_once(platform: Platform) -> None:
    saga = begun()
    await add(platform, saga)
    async with platform.sender.context.unit_of_work() as work:
        changed = ORDER.begin(saga.id, Order(amount_minor=1, customer=uuid4(), due=NOW), NOW)
        assert not await SagaStore(work.connection).add(changed)
        assert await SagaStore(work.connection).load(ORDER, saga.id) == saga


async def test_the_second_to_load_waits_for_the_first_and_sees_what_it_did(platform: Platform) -> None:
    saga, loaded = begun(), asyncio.Event()
    await add(platform, saga)

    async def pay() -> State:
        async with platform.sender.context.unit_of_work() as work:
            sagas = SagaStore(work.connection)
            found = await sagas.load(ORDER, saga.id)
            assert found is not None
            seen = State(found.state)
            loaded.set()
            await asyncio.sleep(0.05)
            await sagas.save(ORDER.advance(found, Paid(), NOW)[0])
            return seen

    first = asyncio.create_task(pay())
    await loaded.wait()
    assert await asyncio.gather(first, pay()) == [State.UNPAID, State.PAID]  # type: ignore[comparison-overlap]


async def test_saving_what_was_not_loaded_under_the_lock_is_refused(platform: Platform) -> None:
    saga = begun()
    await add(platform, saga)
    async with platform.sender.context.unit_of_work() as work:
        await SagaStore(work.connection).save(saga)
    with pytest.raises(StaleSaga):
        async with platform.sender.context.unit_of_work() as work:
            await SagaStore(work.connection).save(saga)


async def test_a_sweep_takes_the_longest_overdue_and_leaves_what_another_has(platform: Platform) -> None:
    oldest, older, old = (begun(NOW - timedelta(hours=hours)) for hours in (5, 4, 3))
    await add(platform, old, oldest, older, begun(NOW))
    async with platform.sender.context.unit_of_work() as first:
        assert await SagaStore(first.connection).due(ORDER, NOW, limit=2) == [oldest, older]
        async with platform.sender.context.unit_of_work() as second:
            assert await SagaStore(second.connection).due(ORDER, NOW, limit=2) == [old]
    async with platform.sender.context.unit_of_work() as work:
        sagas = SagaStore(work.connection)
        for saga in await sagas.due(ORDER, NOW, limit=10):
            await sagas.save(ORDER.advance(saga, DEADLINE_PASSED, NOW)[0])
        assert await sagas.due(ORDER, NOW, limit=10) == []


async def test_a_kind_sees_only_its_own(platform: Platform, owner: asyncpg.Connection) -> None:
    saga = begun(NOW - timedelta(hours=5))
    await add(platform, saga)
    await owner.execute("UPDATE sender.sagas SET kind = 'other'")
    async with platform.sender.context.unit_of_work() as work:
        assert await SagaStore(work.connection).load(ORDER, saga.id) is None
        assert await SagaStore(work.connection).due(ORDER, NOW, limit=10) == []
