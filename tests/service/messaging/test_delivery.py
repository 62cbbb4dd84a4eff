"""From one service's commit to another's, on both transports: once, in order, and with failures kept apart."""

import asyncio
from typing import Any

import asyncpg
import pytest

from shared.messaging.consumer import Delivery
from shared.problems import NotFound
from tests.support.messaging import Platform, Said, Start, Transports, Unheard, Until, Write


async def test_every_subscriber_sees_an_event_and_only_its_addressee_a_command(
    platform: Platform, transports: Transports, running: Start, until: Until
) -> None:
    await running(platform.worker(transports.make()))
    await platform.sender.say("a", 1)
    await platform.sender.tell("a", Write(number=2))
    await until(platform.receiver.effects, [("a", 1), ("a", 2)])
    await until(platform.bystander.effects, [("a", 1)])
    await until(platform.sender.unpublished, 0)
    assert await platform.sender.effects() == []


async def test_an_event_that_nobody_wants_does_not_stay(
    platform: Platform, transports: Transports, running: Start, until: Until
) -> None:
    await running(platform.worker(transports.make()))
    await platform.sender.tell("a", Unheard())
    await until(platform.sender.unpublished, 0)
    await platform.sender.say("a", 1)
    await until(platform.receiver.effects, [("a", 1)])


async def test_a_command_that_nobody_takes_waits_and_holds_up_only_its_own_key(
    platform: Platform, transports: Transports, running: Start, until: Until
) -> None:
    await running(platform.worker(transports.make(), platform.sender, platform.bystander))
    await platform.sender.tell("a", Write(number=1))
    await platform.sender.say("a", 2)
    await platform.sender.say("b", 3)
    await until(platform.bystander.effects, [("b", 3)])
    await until(platform.sender.unpublished, 2)
    assert await platform.receiver.effects() == []


async def test_what_is_rolled_back_is_never_sent(
    platform: Platform, transports: Transports, running: Start, until: Until
) -> None:
    await running(platform.worker(transports.make()))

    async def fail_in_mid_transaction() -> None:
        async with platform.sender.context.unit_of_work() as work:
            work.outbox.publish(Said(number=1), aggregate_id="a")
            await work.outbox.flush(work.connection)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_in_mid_transaction()
    await platform.sender.say("a", 2)
    await until(platform.receiver.effects, [("a", 2)])


async def test_order_is_kept_within_a_key_though_handlers_fail_and_dawdle(
    platform: Platform, transports: Transports, running: Start, until: Until
) -> None:
    async def stumble(delivery: Delivery[Any]) -> None:
        number = delivery.message.number
        if number % 3 == 0 and delivery.attempt == 1:
            raise ConnectionResetError
        await asyncio.sleep(0.005 * (number % 4))

    platform.receiver.context.before = stumble
    await running(platform.worker(transports.make()))
    keys = ["a", "b", "c", "d"]
    for numbers in ((0, 1, 2), (3,), (4, 5, 6, 7), (8, 9)):
        await asyncio.gather(*(platform.sender.say(key, *numbers) for key in keys))

    async def count() -> int:
        return len(await platform.receiver.effects())

    await until(count, 40)
    effects = await platform.receiver.effects()
    for key in keys:
        assert [number for one, number in effects if one == key] == list(range(10))
    assert await platform.receiver.dead_letters.count() == 0


async def test_a_key_in_trouble_delays_no_other(platform: Platform, transports: Transports, running: Start, until: Until) -> None:
    release = asyncio.Event()

    async def block(delivery: Delivery[Any]) -> None:
        if delivery.envelope.partitionkey == "stuck":
            await release.wait()

    platform.receiver.context.before = block
    await running(platform.worker(transports.make()))
    await platform.sender.say("stuck", *range(5))
    await platform.sender.say("free", *range(5))
    await until(platform.receiver.effects, [("free", number) for number in range(5)])
    release.set()
    await until(platform.receiver.unordered, [(key, number) for key in ("free", "stuck") for number in range(5)])


async def test_trouble_passes_within_the_bound_and_leaves_one_effect(
    platform: Platform, transports: Transports, running: Start, until: Until
) -> None:
    async def stumble(delivery: Delivery[Any]) -> None:
        if delivery.attempt < 4:
            raise TimeoutError

    platform.receiver.context.before = stumble
    await running(platform.worker(transports.make()))
    await platform.sender.say("a", 1)
    await until(platform.receiver.effects, [("a", 1)])
    assert platform.receiver.context.seen == [("a", 1)] * 4
    assert await platform.receiver.dead_letters.list() == []


async def test_the_same_message_again_has_no_second_effect(
    platform: Platform, transports: Transports, running: Start, until: Until, owner: asyncpg.Connection
) -> None:
    await running(platform.worker(transports.make()))
    await platform.sender.say("a", 1)
    await until(platform.receiver.effects, [("a", 1)])
    await until(platform.sender.unpublished, 0)
    # As if the relay had died between publishing and marking, three times.
    for _ in range(3):
        await owner.execute("UPDATE sender.outbox SET published_at = NULL; NOTIFY outbox_sender")
        await until(platform.sender.unpublished, 0)
    await platform.sender.say("a", 2)
    await until(platform.receiver.effects, [("a", 1), ("a", 2)])
    await until(platform.bystander.effects, [("a", 1), ("a", 2)])


async def test_stopping_in_mid_message_loses_nothing_and_repeats_nothing(
    platform: Platform, transports: Transports, running: Start, until: Until
) -> None:
    """Ten times, at whatever point: stop while messages are under way, start again."""
    for number in range(10):
        worker = platform.worker(transports.make())
        await worker.start()
        await platform.sender.say("a", number * 2)
        await platform.sender.say("b", number * 2 + 1)
        await asyncio.sleep(0.004 * number)
        async with asyncio.timeout(60):
            await worker.stop(drain_seconds=0 if number % 2 else 2)
    await running(platform.worker(transports.make()))
    for service in (platform.receiver, platform.bystander):

        async def by_key(service: Any = service) -> list[list[int]]:
            effects = await service.effects()
            return [[number for one, number in effects if one == key] for key in ("a", "b")]

        await until(by_key, [list(range(0, 20, 2)), list(range(1, 20, 2))])


async def test_a_message_says_which_message_and_request_caused_it(
    platform: Platform, transports: Transports, running: Start, until: Until, owner: asyncpg.Connection
) -> None:
    async def answer(context: Any, delivery: Delivery[Any]) -> None:
        async with context.unit_of_work(delivery) as work:
            work.outbox.publish(Unheard(), aggregate_id="answer")

    platform.receiver.consumers = {Said: answer}
    await running(platform.worker(transports.make()))
    await platform.sender.say("a", 1)

    async def answered() -> int:
        return int(await owner.fetchval("SELECT count(*) FROM receiver.outbox"))

    await until(answered, 1)
    row = await owner.fetchrow(
        """SELECT answer.envelope ->> 'causationid' = said.envelope ->> 'id' AS caused,
            answer.envelope ->> 'correlationid' = said.envelope ->> 'correlationid' AS correlated,
            split_part(answer.envelope ->> 'traceparent', '-', 2) = split_part(said.envelope ->> 'traceparent', '-', 2) AS traced
        FROM sender.outbox said, receiver.outbox answer"""
    )
    assert tuple(row) == (True, True, True)


async def test_a_refusal_is_a_dead_letter_after_one_attempt_and_holds_up_nobody(
    platform: Platform, transports: Transports, running: Start, until: Until
) -> None:
    async def refuse(delivery: Delivery[Any]) -> None:
        if delivery.message.number == 1:
            raise NotFound("there is no such loan")

    platform.receiver.context.before = refuse
    await running(platform.worker(transports.make()))
    await platform.sender.say("a", 1, 2)
    await until(platform.receiver.effects, [("a", 2)])
    [letter] = await platform.receiver.dead_letters.list()
    assert (letter.type, letter.attempts, letter.status) == ("sender.word.said", 1, "dead")
    assert letter.error == "NotFound: there is no such loan"
    assert letter.envelope["data"]["number"] == 1
    await until(platform.bystander.effects, [("a", 1), ("a", 2)])
    assert await platform.bystander.dead_letters.list() == []
