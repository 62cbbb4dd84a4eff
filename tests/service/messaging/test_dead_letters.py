"""An operator's view, the same on both transports: list, replay to the one who failed, discard."""

import asyncio
from typing import Any
from uuid import uuid4

from shared.messaging.consumer import Delivery
from shared.messaging.envelope import Envelope
from shared.problems import NotFound
from tests.support.messaging import Platform, Start, Transports, Until


async def refuse(delivery: Delivery[Any]) -> None:
    raise NotFound("not yet")


async def test_a_replay_goes_to_the_one_consumer_that_failed(
    platform: Platform, transports: Transports, running: Start, until: Until
) -> None:
    receiver, bystander = platform.receiver, platform.bystander
    receiver.context.before = refuse
    await running(platform.worker(transports.make()))
    await platform.sender.say("a", 1, 2, 3)
    await until(receiver.dead_letters.count, 3)
    await until(bystander.effects, [("a", 1), ("a", 2), ("a", 3)])
    assert await receiver.effects() == []

    receiver.context.before = None
    first, second, third = await receiver.dead_letters.list()
    assert await receiver.dead_letters.replay([first.id, third.id]) == [first.id, third.id]
    await until(receiver.effects, [("a", 1), ("a", 3)])
    await until(receiver.unpublished, 0)
    assert [letter.id for letter in await receiver.dead_letters.list()] == [second.id]
    assert [letter.id for letter in await receiver.dead_letters.list(status="replayed")] == [first.id, third.id]
    assert bystander.context.seen == [("a", 1), ("a", 2), ("a", 3)]

    assert await receiver.dead_letters.replay([first.id]) == []
    assert await receiver.dead_letters.replay() == [second.id]
    await until(receiver.effects, [("a", 1), ("a", 3), ("a", 2)])


async def test_a_replay_that_fails_is_the_same_dead_letter_again(
    platform: Platform, transports: Transports, running: Start, until: Until
) -> None:
    receiver = platform.receiver
    receiver.context.before = refuse
    await running(platform.worker(transports.make()))
    await platform.sender.say("a", 1)
    await until(receiver.dead_letters.count, 1)
    [before] = await receiver.dead_letters.list()
    await receiver.dead_letters.replay()

    async def attempts() -> list[int]:
        return [letter.attempts for letter in await receiver.dead_letters.list()]

    await until(attempts, [2])
    [after] = await receiver.dead_letters.list()
    assert (after.id, after.first_failed_at, after.envelope) == (before.id, before.first_failed_at, before.envelope)
    assert after.last_failed_at > before.last_failed_at


async def test_a_replay_works_while_nobody_is_running(
    platform: Platform, transports: Transports, running: Start, until: Until
) -> None:
    receiver = platform.receiver
    receiver.context.before = refuse
    worker = await running(platform.worker(transports.make()))
    await platform.sender.say("a", 1)
    await until(receiver.dead_letters.count, 1)
    await worker.stop()
    receiver.context.before = None
    assert len(await receiver.dead_letters.replay()) == 1
    await asyncio.sleep(0.1)
    assert await receiver.effects() == []
    await running(platform.worker(transports.make()))
    await until(receiver.effects, [("a", 1)])


async def test_what_is_discarded_is_never_replayed(
    platform: Platform, transports: Transports, running: Start, until: Until
) -> None:
    receiver = platform.receiver
    receiver.context.before = refuse
    await running(platform.worker(transports.make()))
    await platform.sender.say("a", 1, 2)
    await until(receiver.dead_letters.count, 2)
    first, second = await receiver.dead_letters.list()
    receiver.context.before = None
    assert await receiver.dead_letters.discard([first.id]) == [first.id]
    assert await receiver.dead_letters.discard([first.id]) == []
    assert await receiver.dead_letters.replay() == [second.id]
    await until(receiver.effects, [("a", 2)])
    assert await receiver.dead_letters.count() == 0
    assert [letter.id for letter in await receiver.dead_letters.list(status="discarded")] == [first.id]


async def test_another_services_dead_letters_are_out_of_reach(platform: Platform) -> None:
    for body in (b"one", b"two"):
        await platform.receiver.dead_letters.store(uuid4(), body, None, "unreadable", 1)
    assert await platform.bystander.dead_letters.list() == []
    assert await platform.bystander.dead_letters.discard() == []


async def test_what_is_not_an_envelope_can_only_be_discarded(platform: Platform) -> None:
    letters = platform.receiver.dead_letters
    await letters.store(uuid4(), b"\xff\x00garbage", None, "not an envelope", 1)
    [letter] = await letters.list()
    assert (letter.type, letter.envelope) == ("unknown", {"base64": "/wBnYXJiYWdl"})
    assert await letters.replay() == []
    assert await letters.discard() == [letter.id]


async def test_what_jsonb_cannot_hold_is_kept_as_bytes(platform: Platform) -> None:
    envelope = Envelope.model_validate(
        {
            "id": uuid4(),
            "source": "sender",
            "type": "sender.word.said",
            "time": "2026-01-31T12:00:00Z",
            "dataversion": 1,
            "kind": "event",
            "partitionkey": "a",
            "correlationid": "c",
            "data": {"number": "\x00"},
        }
    )
    await platform.receiver.dead_letters.store(envelope.id, envelope.to_json(), envelope, "InvalidData", 1)
    [letter] = await platform.receiver.dead_letters.list()
    assert letter.type == "sender.word.said"
    assert list(letter.envelope) == ["base64"]


async def test_lists_are_paged_by_id(platform: Platform) -> None:
    letters = platform.receiver.dead_letters
    for _ in range(5):
        await letters.store(uuid4(), b"x", None, "x", 1)
    first = await letters.list(limit=2)
    rest = await letters.list(after=first[-1].id, limit=10)
    assert (len(first), len(rest)) == (2, 3)
    assert first[-1].id < rest[0].id
