"""What only a broker can do to us: connections that break, messages that come back, queues that give up."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aio_pika
import pytest
from yarl import URL

from shared.messaging.consumer import ConsumerTable, Delivery
from shared.messaging.rabbitmq import RabbitTransport
from shared.messaging.topology import DELIVERY_LIMIT, Topology
from tests.support.cuttable import Proxy, proxy_to
from tests.support.messaging import Platform, Said, Start, Unheard, Until, Write

pytestmark = pytest.mark.rabbitmq


@pytest.fixture
async def proxy(amqp_url: str) -> AsyncIterator[Proxy]:
    """Between us and the broker."""
    url = URL(amqp_url)
    async with proxy_to(url.host or "127.0.0.1", url.port or 5672) as proxy:
        yield proxy


@pytest.fixture
def through_proxy(amqp_url: str, amqp_prefix: str, proxy: Proxy) -> RabbitTransport:
    """A transport whose connections the test can cut."""
    url = str(URL(amqp_url).with_host("127.0.0.1").with_port(proxy.port))
    return RabbitTransport(url, prefix=amqp_prefix, timeout_seconds=2)


@pytest.fixture
async def channel(amqp_url: str) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
    """The test's own look at the broker."""
    async with await aio_pika.connect(amqp_url) as connection:
        yield await connection.channel()


async def ready(channel: aio_pika.abc.AbstractChannel, queue: str) -> int:
    """Messages ready in a queue."""
    declared = await channel.declare_queue(queue, passive=True)
    return declared.declaration_result.message_count or 0


async def test_connections_cut_again_and_again_lose_nothing_and_repeat_nothing(
    platform: Platform, through_proxy: RabbitTransport, proxy: Proxy, running: Start, until: Until
) -> None:
    await running(platform.worker(through_proxy))
    keys, cuts = ["a", "b", "c"], [0]

    async def come_back() -> bool:
        return proxy.accepted > cuts[-1]

    for number in range(30):
        await asyncio.gather(*(platform.sender.say(key, number) for key in keys))
        if number % 6 == 3:
            await until(come_back, True)
            cuts.append(proxy.accepted)
            proxy.cut()
        await asyncio.sleep(0.01)

    async def by_key() -> list[list[int]]:
        effects = await platform.receiver.effects()
        return [[number for one, number in effects if one == key] for key in keys]

    await until(by_key, [list(range(30))] * 3)
    await until(platform.sender.unpublished, 0)
    assert proxy.accepted > cuts[-1]
    assert len(cuts) == 6
    assert await platform.receiver.dead_letters.count() == 0


async def test_a_connection_lost_in_mid_publish_publishes_again(
    platform: Platform, through_proxy: RabbitTransport, proxy: Proxy, running: Start, until: Until
) -> None:
    """The broker may or may not have got it: the confirmation never arrives."""
    await running(platform.worker(through_proxy))
    await platform.sender.say("a", 1)
    await until(platform.receiver.effects, [("a", 1)])
    await until(platform.sender.unpublished, 0)
    proxy.hold()
    await platform.sender.say("a", 2)
    await asyncio.sleep(0.2)
    assert await platform.sender.unpublished() == 1
    proxy.cut()
    proxy.release()
    await platform.sender.say("a", 3)
    await until(platform.receiver.effects, [("a", 1), ("a", 2), ("a", 3)])
    await until(platform.sender.unpublished, 0)


async def test_a_broker_that_stops_answering_is_given_up_and_tried_again(
    platform: Platform, through_proxy: RabbitTransport, proxy: Proxy, running: Start, until: Until
) -> None:
    await running(platform.worker(through_proxy))
    await platform.sender.say("a", 1)
    await until(platform.sender.unpublished, 0)
    proxy.hold()
    await platform.sender.say("a", 2)
    await asyncio.sleep(2.5)  # longer than the transport's patience
    proxy.release()
    await until(platform.receiver.effects, [("a", 1), ("a", 2)])
    await until(platform.sender.unpublished, 0)


async def test_a_broker_that_is_away_for_a_while_is_waited_for(
    platform: Platform, through_proxy: RabbitTransport, proxy: Proxy, running: Start, until: Until
) -> None:
    await running(platform.worker(through_proxy))
    await platform.sender.say("a", 1)
    await until(platform.receiver.effects, [("a", 1)])
    proxy.refusing = True
    proxy.cut()
    await platform.sender.say("a", 2)
    await asyncio.sleep(1)
    assert await platform.receiver.effects() == [("a", 1)]
    proxy.refusing = False
    await until(platform.receiver.effects, [("a", 1), ("a", 2)])


async def test_a_handler_whose_connection_is_lost_finishes_and_its_message_has_one_effect(
    platform: Platform, through_proxy: RabbitTransport, proxy: Proxy, running: Start, until: Until
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait(delivery: Delivery[Any]) -> None:
        begun.set()
        await go_on.wait()

    platform.receiver.context.before = wait
    await running(platform.worker(through_proxy))
    await platform.sender.say("a", 1)
    await begun.wait()
    proxy.cut()
    await asyncio.sleep(0.5)  # reconnected, and the message delivered again behind the first
    go_on.set()
    await platform.sender.say("a", 2)
    await until(platform.receiver.effects, [("a", 1), ("a", 2)])
    await until(platform.sender.unpublished, 0)


async def test_a_consumer_that_dies_with_a_message_leaves_it_to_the_next_in_order(
    platform: Platform, amqp_url: str, amqp_prefix: str, running: Start, until: Until
) -> None:
    """Two processes consume for the same service: one is active, the other stands by."""
    hung = asyncio.Event()

    async def hang(delivery: Delivery[Any]) -> None:
        hung.set()
        await asyncio.Event().wait()

    platform.receiver.context.before = hang
    first = platform.worker(RabbitTransport(amqp_url, prefix=amqp_prefix))
    await first.start()
    await platform.sender.say("a", 1, 2, 3)
    await hung.wait()
    second = await running(platform.worker(RabbitTransport(amqp_url, prefix=amqp_prefix)))
    await asyncio.sleep(0.3)
    assert await platform.receiver.effects() == []
    platform.receiver.context.before = None
    await first.stop(drain_seconds=0)
    await until(platform.receiver.effects, [("a", 1), ("a", 2), ("a", 3)])
    assert second.faults() == []


async def test_what_its_consumer_never_acknowledges_ends_as_a_dead_letter_and_can_be_replayed(
    platform: Platform,
    amqp_url: str,
    amqp_prefix: str,
    channel: aio_pika.abc.AbstractChannel,
    running: Start,
    until: Until,
) -> None:
    """As a message does that kills its process: delivered again and again, then taken away by the broker."""
    transport = RabbitTransport(amqp_url, prefix=amqp_prefix)
    await transport.declare({service.name: service.consumers for service in platform.services})
    topology = Topology(amqp_prefix)
    await running(platform.worker(RabbitTransport(amqp_url, prefix=amqp_prefix), platform.sender))
    await platform.sender.say("a", 1)
    await until(platform.sender.unpublished, 0)
    queue = await channel.get_queue(topology.queue("receiver"))
    deliveries = 0

    async def fall_over(message: aio_pika.abc.AbstractIncomingMessage) -> None:
        nonlocal deliveries
        deliveries += 1
        await message.reject(requeue=True)

    tag = await queue.consume(fall_over)

    async def given_up() -> int:
        return await ready(channel, topology.dead_queue("receiver"))

    await until(given_up, 1)
    await queue.cancel(tag)
    assert deliveries == DELIVERY_LIMIT + 1
    await running(platform.worker(transport, platform.receiver))
    await until(platform.receiver.dead_letters.count, 1)
    [letter] = await platform.receiver.dead_letters.list()
    assert (letter.error, letter.attempts) == (f"delivered {DELIVERY_LIMIT} times and never acknowledged", DELIVERY_LIMIT)
    assert await platform.receiver.effects() == []
    await until(given_up, 0)
    await platform.receiver.dead_letters.replay()
    await until(platform.receiver.effects, [("a", 1)])


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b'{"specversion": "1.0"}'])
async def test_rubbish_in_the_queue_is_put_aside(
    platform: Platform,
    amqp_url: str,
    amqp_prefix: str,
    channel: aio_pika.abc.AbstractChannel,
    running: Start,
    until: Until,
    body: bytes,
) -> None:
    await running(platform.worker(RabbitTransport(amqp_url, prefix=amqp_prefix)))
    await platform.sender.say("a", 1)
    await until(platform.receiver.effects, [("a", 1)])
    await channel.default_exchange.publish(aio_pika.Message(body), Topology(amqp_prefix).queue("receiver"))
    await platform.sender.say("a", 2)
    await until(platform.receiver.effects, [("a", 1), ("a", 2)])
    await until(platform.receiver.dead_letters.count, 1)
    assert (await platform.receiver.dead_letters.list())[0].type == "unknown"


async def test_what_is_published_before_a_consumer_first_runs_waits_for_it_when_declared(
    platform: Platform, amqp_url: str, amqp_prefix: str, running: Start, until: Until
) -> None:
    everybody = {service.name: service.consumers for service in platform.services}
    await running(
        platform.worker(RabbitTransport(amqp_url, prefix=amqp_prefix), platform.sender),
        platform=everybody,
    )
    await platform.sender.tell("a", Said(number=1), Write(number=2))
    await until(platform.sender.unpublished, 0)
    await running(platform.worker(RabbitTransport(amqp_url, prefix=amqp_prefix), platform.receiver), platform=everybody)
    await until(platform.receiver.effects, [("a", 1), ("a", 2)])


async def test_events_that_nobody_consumes_are_kept_for_the_curious(
    platform: Platform,
    amqp_url: str,
    amqp_prefix: str,
    channel: aio_pika.abc.AbstractChannel,
    running: Start,
    until: Until,
) -> None:
    await running(platform.worker(RabbitTransport(amqp_url, prefix=amqp_prefix)))
    await platform.sender.tell("a", Unheard())
    await until(platform.sender.unpublished, 0)
    queue = await channel.get_queue(Topology(amqp_prefix).unrouted)
    message = await queue.get()
    assert message is not None
    await message.ack()
    assert json.loads(message.body)["type"] == "sender.word.unheard"
    assert (message.content_type, message.delivery_mode) == ("application/cloudevents+json", 2)


async def test_a_type_dropped_from_the_table_stops_coming(
    platform: Platform,
    amqp_url: str,
    amqp_prefix: str,
    channel: aio_pika.abc.AbstractChannel,
    running: Start,
    until: Until,
) -> None:
    transport = RabbitTransport(amqp_url, prefix=amqp_prefix)
    await transport.declare({"receiver": platform.receiver.consumers, "bystander": platform.bystander.consumers})
    await transport.declare({"bystander": {}}, known=[Said, Write, Unheard])
    await running(platform.worker(RabbitTransport(amqp_url, prefix=amqp_prefix), platform.sender, platform.receiver))
    await platform.sender.say("a", 1)
    await until(platform.receiver.effects, [("a", 1)])
    assert await ready(channel, Topology(amqp_prefix).queue("bystander")) == 0


async def test_an_older_process_takes_nothing_from_newer_consumers(
    platform: Platform, amqp_url: str, amqp_prefix: str, channel: aio_pika.abc.AbstractChannel, running: Start, until: Until
) -> None:
    """In a rolling upgrade it starts again, and knows of messages that consumers have come to want since it was built."""
    await RabbitTransport(amqp_url, prefix=amqp_prefix).declare({"receiver": platform.receiver.consumers})
    older: dict[str, ConsumerTable] = {"sender": platform.sender.consumers, "receiver": {}}
    worker = platform.worker(RabbitTransport(amqp_url, prefix=amqp_prefix), platform.sender)
    await running(worker, platform=older, known=[Said, Write])
    await platform.sender.say("a", 1)
    await until(platform.sender.unpublished, 0)

    async def kept() -> int:
        return await ready(channel, Topology(amqp_prefix).queue("receiver"))

    await until(kept, 1)


async def test_queue_depths_are_told_and_stop_says_goodbye(
    platform: Platform, amqp_url: str, amqp_prefix: str, running: Start, until: Until
) -> None:
    transport = RabbitTransport(amqp_url, prefix=amqp_prefix)
    worker = await running(platform.worker(transport))
    topology = Topology(amqp_prefix)

    async def depths() -> dict[str, int]:
        try:
            return dict(await transport.depths())
        except aio_pika.exceptions.ChannelNotFoundEntity:
            return {}

    expected = {
        name: 0 for one in ("sender", "receiver", "bystander") for name in (topology.queue(one), topology.dead_queue(one))
    }
    await until(depths, expected)
    await worker.measure()
    await worker.stop()
    assert await transport.depths() == {}
