"""The worker's part of services: consumers, outbox relays, jobs, and the measuring of queues."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from aio_pika.exceptions import AMQPError

import shared.contracts
from runtime.trouble import ExitCode, Trouble
from shared.http.app import ReadinessCheck
from shared.jobs import JobRunner
from shared.messaging.registry import messages_in
from shared.messaging.worker import MessagingWorker
from shared.service import Service

if TYPE_CHECKING:
    from shared.messaging.consumer import ConsumerTable
    from shared.messaging.transport import Transport
    from shared.settings import CommonSettings

_log = logging.getLogger(__name__)
_MEASURE_EVERY_SECONDS = 5.0
_DRAIN_SECONDS = 3.0
_RETRY_SECONDS = 1.0


def transport_of(settings: "CommonSettings") -> "Transport":
    """RabbitMQ when `AMQP_URL` is set, else direct calls, for which every consumer must be in this process."""
    if settings.amqp_url is None:
        from shared.messaging.local import LocalTransport

        return LocalTransport()
    from shared.messaging.rabbitmq import RabbitTransport

    return RabbitTransport(settings.amqp_url.get_secret_value(), prefix=settings.amqp_prefix)


@asynccontextmanager
async def background(
    worker: MessagingWorker, services: Sequence[Service], platform: Mapping[str, "ConsumerTable"], *, patience_seconds: float
) -> AsyncIterator[None]:
    """Run `worker`, which is for `services`, and their jobs. `platform` has the consumers of every service there is.

    A broker that is away is waited for; after `patience_seconds`, that raises `Trouble`.
    """
    async with AsyncExitStack() as stack:
        stack.push_async_callback(worker.stop, drain_seconds=_DRAIN_SECONDS)
        await _start(worker, platform, patience_seconds)
        for service in services:
            jobs = JobRunner(service.name, service.database, service.context, service.jobs)
            stack.push_async_callback(jobs.stop)
            await jobs.start()
        measuring = asyncio.create_task(_measure(worker), name="measure queues")
        stack.callback(measuring.cancel)
        yield


async def _start(worker: MessagingWorker, platform: Mapping[str, "ConsumerTable"], patience_seconds: float) -> None:
    known = messages_in(shared.contracts).values()
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience_seconds
    while True:
        try:
            await worker.start(platform=platform, known=known)
        except (OSError, TimeoutError, AMQPError) as error:
            if loop.time() >= deadline:
                raise Trouble(
                    ExitCode.SERVER_UNREACHABLE,
                    f"RabbitMQ cannot be used: {error or type(error).__name__}",
                    hint="Check AMQP_URL and that the broker is running.",
                ) from error
            _log.warning("waiting for the broker", extra={"error": type(error).__name__})
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            return


def worker_checks(worker: MessagingWorker, settings: "CommonSettings") -> dict[str, ReadinessCheck]:
    """What a process that runs `worker` depends on, for its `/readyz`."""

    async def relay() -> None:
        if faults := worker.faults():
            raise RuntimeError(", ".join(faults))

    return {"relay": relay} if settings.amqp_url is None else {"relay": relay, "rabbitmq": worker.measure}


async def _measure(worker: MessagingWorker) -> None:
    while True:
        try:
            await worker.measure()
        except Exception as error:
            _log.warning("queues could not be measured", extra={"error": type(error).__name__})
        await asyncio.sleep(_MEASURE_EVERY_SECONDS)
