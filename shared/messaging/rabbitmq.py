"""The transport for many processes: RabbitMQ. See `shared.messaging.topology` for the exchanges and queues.

Publishing is persistent, mandatory and confirmed by a quorum. Consuming acknowledges after the handler's commit. Connections
are opened when needed and again whenever they are lost; publishing and each consumer have their own, because the broker
may block one that publishes.
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterable, Mapping
from contextlib import suppress
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from aio_pika.exceptions import AMQPError, PublishError
from yarl import URL

from shared.messaging.consumer import ConsumerTable
from shared.messaging.dispatcher import Dispatcher, Stopped
from shared.messaging.envelope import Envelope, Message
from shared.messaging.failures import Retries, describe
from shared.messaging.listening import Listener
from shared.messaging.rabbitmq_listener import RabbitListener
from shared.messaging.topology import DELIVERY_LIMIT, Topology
from shared.messaging.transport import Unroutable

_log = logging.getLogger(__name__)

_TROUBLE = (AMQPError, OSError, RuntimeError, TimeoutError)
_HEARTBEAT_SECONDS = 20
# Messages that wait in the process behind others of their key take a place, so there are more places than handlers.
_LEAST_PREFETCH = 100
_CONTENT_TYPE = "application/cloudevents+json"
_RECONNECT = Retries(first_delay_seconds=0.2, factor=2.0, longest_delay_seconds=15.0)


class RabbitTransport:
    """`prefix` begins every name on the broker; `timeout_seconds` bounds connecting, and the wait for a confirmation."""

    def __init__(self, url: str, *, prefix: str = "lendery", timeout_seconds: float = 15.0) -> None:
        self.topology = Topology(prefix)
        # A dead connection is noticed after three heartbeats; aio-pika's own 60 s would leave messages waiting for minutes.
        self._url = URL(url) if "heartbeat" in URL(url).query else URL(url).update_query(heartbeat=_HEARTBEAT_SECONDS)
        self._timeout_seconds = timeout_seconds
        self._opening = asyncio.Lock()
        self._publisher: tuple[AbstractConnection, AbstractChannel] | None = None
        self._consumers: list[_Consumer] = []
        self._listeners: list[RabbitListener] = []

    async def start(self) -> None:
        """Nothing is opened before it is needed, so a broker that is away delays nobody's start."""

    async def declare(self, consumers: Mapping[str, ConsumerTable], known: Iterable[type[Message]] = ()) -> None:
        """Declare every consumer's queue and bindings, so that nothing published from now on misses one that is not up.

        Raises when the broker is away.
        """
        async with await self.connect("declare") as connection:
            channel = await connection.channel()
            await self.topology.declare_exchanges(channel)
            for consumer, table in consumers.items():
                await self.topology.declare_consumer(channel, consumer, table, known)

    async def subscribe(self, dispatcher: Dispatcher) -> None:
        """Consume from now on, reconnecting for ever."""
        consumer = _Consumer(self, dispatcher)
        self._consumers.append(consumer)
        consumer.start()

    def listen(self, listener: Listener) -> None:
        """Let it hear events from now on, reconnecting for ever."""
        self._listeners.append(RabbitListener(self, listener))
        self._listeners[-1].start()

    async def publish(self, envelope: Envelope, *, consumer: str | None = None) -> None:
        """Publish, and wait until a majority of each queue's members has it on disk.

        Raises `Unroutable` when the broker sent it back, and what aio-pika raises when it is not certain.
        """
        message = aio_pika.Message(
            envelope.to_json(),
            content_type=_CONTENT_TYPE,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=str(envelope.id),
            correlation_id=envelope.correlationid,
            timestamp=envelope.time,
            type=envelope.type,
            app_id=envelope.source,
            headers={"traceparent": envelope.traceparent} if envelope.traceparent else {},
        )
        if consumer is not None:
            exchange, routing_key = "", self.topology.queue(consumer)
        else:
            exchange = self.topology.events if envelope.kind == "event" else self.topology.commands
            routing_key = envelope.type
        channel = await self._publishing_channel()
        try:
            target = await channel.get_exchange(exchange, ensure=False) if exchange else channel.default_exchange
            await target.publish(message, routing_key, mandatory=True, timeout=self._timeout_seconds)
        except PublishError as error:
            raise Unroutable(f"{envelope.type}: no queue is bound for it") from error
        except TimeoutError:
            # A confirmation that does not come leaves the channel's count of confirmations in doubt.
            await self._drop_publisher(channel)
            raise

    async def depths(self) -> Mapping[str, int]:
        """Messages ready in the queues of this process's consumers, and in their dead queues."""
        found: dict[str, int] = {}
        await self._publishing_channel()
        assert self._publisher is not None  # noqa: S101
        async with await self._publisher[0].channel(publisher_confirms=False) as channel:
            for consumer in self._consumers:
                name = consumer.dispatcher.consumer
                for queue in (self.topology.queue(name), self.topology.dead_queue(name)):
                    declared = await channel.declare_queue(queue, passive=True)
                    found[queue] = declared.declaration_result.message_count or 0
        return found

    async def stop(self, *, drain_seconds: float = 10.0) -> None:
        """Take no more messages, let handlers end, and close the connections: the broker delivers the rest again."""
        await asyncio.gather(*(listener.stop() for listener in self._listeners))
        self._listeners.clear()
        await asyncio.gather(*(consumer.stop(drain_seconds) for consumer in self._consumers))
        self._consumers.clear()
        await self._drop_publisher()

    async def connect(self, name: str) -> AbstractConnection:
        """A new connection, called `name` in the broker's list."""
        return await aio_pika.connect(
            self._url,
            timeout=self._timeout_seconds,
            client_properties={"connection_name": f"{self.topology.prefix} {name}"},
        )

    async def _publishing_channel(self) -> AbstractChannel:
        async with self._opening:
            if self._publisher is not None and not self._publisher[0].is_closed and not self._publisher[1].is_closed:
                return self._publisher[1]
            await self._close_publisher()
            connection = await self.connect("relay")
            try:
                channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
                await self.topology.declare_exchanges(channel)
            except BaseException:
                await connection.close()
                raise
            self._publisher = connection, channel
            return channel

    async def _drop_publisher(self, channel: AbstractChannel | None = None) -> None:
        """Close the publishing connection, unless it is another than that of `channel` by now."""
        async with self._opening:
            if channel is None or (self._publisher is not None and self._publisher[1] is channel):
                await self._close_publisher()

    async def _close_publisher(self) -> None:
        if self._publisher is not None:
            connection, _ = self._publisher
            self._publisher = None
            with suppress(*_TROUBLE):
                await connection.close()


class _Consumer:
    """One consumer's connection, for as long as the process runs."""

    def __init__(self, transport: RabbitTransport, dispatcher: Dispatcher) -> None:
        self.dispatcher = dispatcher
        self._transport = transport
        self._prefetch = max(_LEAST_PREFETCH, 2 * dispatcher.handlers_at_once)
        self._stopping = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin consuming in the background."""
        self._loop = asyncio.create_task(self._consume_for_ever(), name=f"consumer {self.dispatcher.consumer}")

    async def stop(self, drain_seconds: float) -> None:
        """Stop taking messages, wait for handlers, then disconnect."""
        self.dispatcher.stop()
        self._stopping.set()
        if self._loop is not None:
            _, late = await asyncio.wait([self._loop], timeout=drain_seconds)
            for task in (*late, *self._running):
                task.cancel()
            await asyncio.gather(self._loop, *self._running, return_exceptions=True)

    async def _consume_for_ever(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                await self._consume_until_closed()
                failures = 0
            except Exception as error:
                failures += 1
                _log.warning(
                    "consumer connects anew",
                    extra={"consumer": self.dispatcher.consumer, "error": describe(error)},
                    exc_info=not isinstance(error, _TROUBLE),
                )
                await self._pause(_RECONNECT.delay_seconds(failures))

    async def _consume_until_closed(self) -> None:
        """Consume on one connection until it is lost or the consumer is to stop, which is when it waits for handlers."""
        dispatcher, topology = self.dispatcher, self._transport.topology
        connection = await self._transport.connect(f"consumer {dispatcher.consumer}")
        async with connection:
            channel = await connection.channel(publisher_confirms=False)
            await channel.set_qos(prefetch_count=self._prefetch)
            lost = asyncio.Event()
            channel.close_callbacks.add(lambda *_: lost.set())
            underlay = await channel.get_underlay_channel()
            underlay.on_consumer_cancel_callbacks.add(lambda _: lost.set())
            await topology.declare_exchanges(channel)
            queue, dead = await topology.declare_consumer(channel, dispatcher.consumer, dispatcher.classes)
            tags = [(queue, await queue.consume(self._received)), (dead, await dead.consume(self._received_dead))]
            await _first(lost, self._stopping)
            if lost.is_set():
                return
            for consumed, tag in tags:
                await consumed.cancel(tag)
            if self._running:
                await asyncio.wait(set(self._running))

    async def _received(self, message: AbstractIncomingMessage) -> None:
        """Start on a message. The task is ours: one of the channel's would be cancelled with it, in mid-transaction."""
        self._spawn(self._handle(message))

    async def _received_dead(self, message: AbstractIncomingMessage) -> None:
        self._spawn(self._bury(message))

    async def _handle(self, message: AbstractIncomingMessage) -> None:
        try:
            await self.dispatcher.dispatch(message.body)
        except Stopped:
            return  # the broker delivers it again once this connection is closed
        except Exception:
            _log.exception("message cannot be dispatched", extra={"consumer": self.dispatcher.consumer})
            with suppress(*_TROUBLE):
                await message.reject(requeue=False)
            return
        await self._acknowledge(message)

    async def _bury(self, message: AbstractIncomingMessage) -> None:
        limit_reached = message.headers.get("x-first-death-reason") == "delivery_limit"
        attempts = DELIVERY_LIMIT if limit_reached else 1
        error = f"delivered {DELIVERY_LIMIT} times and never acknowledged" if limit_reached else "rejected"
        failures = 0
        while not self._stopping.is_set():
            try:
                await self.dispatcher.bury(message.body, error, attempts)
            except Exception as trouble:
                failures += 1
                _log.warning("dead letter could not be stored", extra={"error": describe(trouble)})
                await self._pause(_RECONNECT.delay_seconds(failures))
            else:
                _log.error("the broker gave a message up", extra={"consumer": self.dispatcher.consumer, "error": error})
                await self._acknowledge(message)
                return

    async def _acknowledge(self, message: AbstractIncomingMessage) -> None:
        """Acknowledge; when the connection is gone the message comes again and the inbox knows it."""
        with suppress(*_TROUBLE):
            await message.ack()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("message was not dealt with; it comes again", exc_info=task.exception())

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()


async def _first(*events: asyncio.Event) -> None:
    """Wait until one of the events is set."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
