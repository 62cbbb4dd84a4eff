"""Listening on RabbitMQ: a queue of this process alone, which goes when its connection goes."""

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from aio_pika.abc import AbstractIncomingMessage

from shared.messaging.failures import Retries, describe
from shared.messaging.listening import Listener

if TYPE_CHECKING:
    from shared.messaging.rabbitmq import RabbitTransport

_log = logging.getLogger(__name__)
_RECONNECT = Retries(first_delay_seconds=0.2, factor=2.0, longest_delay_seconds=5.0)


class RabbitListener:
    """One listener's connection, for as long as the process runs."""

    def __init__(self, transport: "RabbitTransport", listener: Listener) -> None:
        self._transport = transport
        self._listener = listener
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Listen from now on, reconnecting for ever."""
        self._loop = asyncio.create_task(self._listen_for_ever(), name="listen")

    async def stop(self) -> None:
        """Listen no more."""
        if self._loop is not None:
            self._loop.cancel()
            with suppress(asyncio.CancelledError):
                await self._loop

    async def _listen_for_ever(self) -> None:
        failures = 0
        while True:
            try:
                await self._listen_until_closed()
                failures = 0
            except Exception as error:
                failures += 1
                _log.warning("listener connects anew", extra={"error": describe(error)})
            await asyncio.sleep(_RECONNECT.delay_seconds(max(failures, 1)))

    async def _listen_until_closed(self) -> None:
        topology = self._transport.topology
        async with await self._transport.connect("listener") as connection:
            channel = await connection.channel(publisher_confirms=False)
            lost = asyncio.Event()
            channel.close_callbacks.add(lambda *_: lost.set())
            underlay = await channel.get_underlay_channel()
            underlay.on_consumer_cancel_callbacks.add(lambda _: lost.set())
            await topology.declare_exchanges(channel)
            queue = await channel.declare_queue(exclusive=True, auto_delete=True)
            for event in self._listener.classes:
                await queue.bind(topology.events, routing_key=event.type)
            await queue.consume(self._received, no_ack=True)
            self._listener.connected()
            await lost.wait()

    async def _received(self, message: AbstractIncomingMessage) -> None:
        self._listener.receive(message.body)
