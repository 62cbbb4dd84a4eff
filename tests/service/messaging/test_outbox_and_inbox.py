"""Both ends in PostgreSQL: what a unit of work writes, and that a message takes effect once however it arrives."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from shared.messaging.consumer import Delivery
from shared.messaging.envelope import Envelope
from shared.messaging.inbox import AlreadyHandled
from tests.support.messaging import Platform, Said, write_down


async def test_rows_have_the_order_of_publishing_and_hold_the_envelope(platform: Platform, owner: asyncpg.Connection) -> None:
    async with platform.sender.context.unit_of_work() as work:
        sent = [work.outbox.publish(Said(number=number), aggregate_id=f"k{number % 7}") for number in range(200)]
    rows = await owner.fetch("SELECT * FROM sender.outbox ORDER BY id")
    assert [row["message_id"] for row in rows] == [one.id for one in sent]
    assert [Envelope.from_json(row["envelope"]) for row in rows] == sent
    assert {(row["type"], row["kind"], row["consumer"], row["published_at"]) for row in rows} == {
        ("sender.word.said", "event", None, None)
    }
    assert [row["partition_key"] for row in rows] == [one.partitionkey for one in sent]


async def test_the_relay_is_woken_at_the_commit_and_once(platform: Platform, owner: asyncpg.Connection) -> None:
    woken: list[str] = []
    await owner.add_listener("outbox_sender", lambda connection, pid, channel, payload: woken.append(channel))
    async with platform.sender.context.unit_of_work() as work:
        work.outbox.publish(Said(number=1), aggregate_id="a")
        work.outbox.publish(Said(number=2), aggregate_id="a")
        await work.outbox.flush(work.connection)
        await owner.fetchval("SELECT 1")
        assert woken == []
    for _ in range(3000):
        await owner.fetchval("SELECT 1")
        if woken:
            break
        await asyncio.sleep(0.01)
    assert woken == ["outbox_sender"]


async def test_a_unit_of_work_that_says_nothing_writes_nothing(platform: Platform, owner: asyncpg.Connection) -> None:
    async with platform.sender.context.unit_of_work():
        pass
    assert await owner.fetchval("SELECT count(*) FROM sender.outbox") == 0


def delivery_of(number: int) -> Delivery[Any]:
    message = Said(number=number)
    envelope = Envelope.of(message, id=uuid4(), source="sender", time=datetime.now(UTC), aggregate_id="a", correlation_id="c")
    return Delivery(envelope, message)


async def test_the_second_delivery_is_refused_and_changes_nothing(platform: Platform) -> None:
    delivery = delivery_of(1)
    await write_down(platform.receiver.context, delivery)
    with pytest.raises(AlreadyHandled):
        await write_down(platform.receiver.context, delivery)
    assert await platform.receiver.effects() == [("a", 1)]


async def test_each_consumer_has_its_own_memory(platform: Platform) -> None:
    delivery = delivery_of(1)
    await write_down(platform.receiver.context, delivery)
    await write_down(platform.bystander.context, delivery)
    assert await platform.bystander.effects() == [("a", 1)]


async def test_of_many_at_the_same_moment_one_takes_effect(platform: Platform) -> None:
    delivery = delivery_of(1)
    ends = await asyncio.gather(*(write_down(platform.receiver.context, delivery) for _ in range(8)), return_exceptions=True)
    assert sorted(type(end).__name__ for end in ends) == ["AlreadyHandled"] * 7 + ["NoneType"]
    assert await platform.receiver.effects() == [("a", 1)]


async def test_one_that_fails_leaves_no_trace_and_lets_the_one_waiting_for_it_through(platform: Platform) -> None:
    delivery, entered = delivery_of(1), asyncio.Event()

    async def fail_once(_: Delivery[Any]) -> None:
        if not entered.is_set():
            entered.set()
            await asyncio.sleep(0.1)
            raise KeyError("odd")

    platform.receiver.context.before = fail_once
    first = asyncio.create_task(write_down(platform.receiver.context, delivery))
    await entered.wait()
    second = asyncio.create_task(write_down(platform.receiver.context, delivery))
    ends = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(end) for end in ends] == [KeyError, type(None)]
    assert await platform.receiver.effects() == [("a", 1)]


async def test_the_bare_driver_can_write_the_outbox_too(platform: Platform, owner: asyncpg.Connection) -> None:
    from shared.messaging.outbox import INSERT, Outbox, channel_of, payload_of

    outbox = Outbox("sender")
    sent = [outbox.publish(Said(number=number), aggregate_id="a") for number in range(3)]
    await owner.execute("SET search_path = sender")
    await owner.execute(INSERT, payload_of(sent), channel_of("sender"))
    rows = await owner.fetch("SELECT envelope FROM outbox ORDER BY id")
    assert [json.loads(row["envelope"])["data"]["number"] for row in rows] == [0, 1, 2]
