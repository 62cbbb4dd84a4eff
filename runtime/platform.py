"""The whole platform in one process and one event loop: each service on its own loopback port, the gateway in front.

The services talk to the gateway, and the gateway to them, over HTTP as in production, so that no code runs here that does
not run there.
"""

import asyncio
import gc
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from fastapi import FastAPI

from runtime import local_environment
from runtime.background import background, transport_of, worker_checks
from runtime.data_directory import DataDirectory
from runtime.database import apply_migrations
from runtime.http_server import HttpServer, address, bind
from runtime.revocations import following_revocations
from runtime.services import SERVICES, build_gateway, consumer_tables
from runtime.settings import RuntimeSettings, read_settings
from runtime.trouble import ExitCode, Trouble
from shared.crypto import Undecryptable
from shared.messaging.worker import MessagingWorker
from shared.service import Platform, Service

_log = logging.getLogger(__name__)

_WATCH_EVERY_SECONDS = 0.5
_READY_SECONDS = 20.0
_BROKER_SECONDS = 10.0
_DRAIN_SECONDS = 10
_NEW_OBJECTS = 10_000
"""More objects that hold others made than freed: then the young ones are looked through for cycles."""


@dataclass
class RunningPlatform:
    """What is up."""

    gateway_url: str
    settings: RuntimeSettings
    catches_mail: bool = True
    servers: list[HttpServer] = field(default_factory=list)
    worker_faults: Callable[[], list[str]] = list

    async def serve(self, server: HttpServer) -> None:
        """Start a server that `stop_servers` will stop. Raises `Trouble`."""
        self.servers.append(server)
        await server.start()

    async def stop_servers(self) -> None:
        """The gateway, which came last, first, so that nothing new comes in; then all others at once."""
        if self.servers:
            await self.servers[-1].stop()
        await asyncio.gather(*(server.stop() for server in self.servers[:-1]))

    def faults(self) -> list[str]:
        """What has ended by itself."""
        return [server.name for server in self.servers if server.ended] + self.worker_faults()


@asynccontextmanager
async def running_platform(
    gateway_listener: socket.socket, data: DataDirectory, database_url: str, say: Callable[[str], None]
) -> AsyncIterator[RunningPlatform]:
    """Start everything, wait until it is ready, and stop it at the end. Raises `Trouble`."""
    listeners = {name: bind("127.0.0.1", 0) for name in (*(entry.name for entry in SERVICES), "mailbox")}
    addresses = {name: address(listener) for name, listener in listeners.items()}
    settings = _set_environment(gateway_listener, data, database_url, addresses)
    running = RunningPlatform(address(gateway_listener), settings)
    async with AsyncExitStack() as stack:
        for listener in listeners.values():
            stack.callback(listener.close)
        say("Migrating the database")
        await apply_migrations(database_url, say)
        platform = Platform.of(settings)
        mailbox = await _open_mailbox(stack, running, data, platform)
        say("Starting the services")
        services = [entry.build(platform) for entry in SERVICES]
        for service in services:
            await stack.enter_async_context(resources_of(service))
        # Calls between services wait in the bound sockets until these are served, so the order here is that of stopping.
        workers = [service for entry, service in zip(SERVICES, services, strict=True) if entry.worker]
        worker = MessagingWorker(transport_of(settings), workers)
        await stack.enter_async_context(background(worker, workers, consumer_tables(), patience_seconds=_BROKER_SECONDS))
        running.worker_faults = worker.faults
        for service in workers:
            service.app.state.checks.update(worker_checks(worker, settings))
        stack.push_async_callback(running.stop_servers)
        await running.serve(HttpServer("mailbox", mailbox, listeners["mailbox"]))
        for service in services:
            await running.serve(HttpServer(service.name, service.app, listeners[service.name]))
        await stack.enter_async_context(following_revocations(platform, settings, worker.transport))
        gateway = build_gateway(platform)
        drain = gateway.state.drain
        await running.serve(HttpServer("gateway", gateway, gateway_listener, drain=drain, drain_seconds=_DRAIN_SECONDS))
        say("Waiting until everything is ready")
        await _until_ready(running)
        settle_memory()
        yield running


def _set_environment(
    gateway_listener: socket.socket, data: DataDirectory, database_url: str, addresses: dict[str, str]
) -> RuntimeSettings:
    port = gateway_listener.getsockname()[1]
    local_environment.apply(
        local_environment.wiring(database_url, address(gateway_listener), addresses),
        local_environment.defaults(data, f"http://localhost:{port}"),
    )
    return read_settings()


async def _open_mailbox(stack: AsyncExitStack, running: RunningPlatform, data: DataDirectory, platform: Platform) -> FastAPI:
    """The mailbox's app; catches e-mail unless `LENDERY_SMTP_URL` names a real server."""
    from runtime.mailbox.app import mailbox_app
    from runtime.mailbox.letters import LetterBox
    from runtime.mailbox.smtp import catch_mail

    box = await asyncio.to_thread(LetterBox, data.mailbox)
    running.catches_mail = not os.environ.get("LENDERY_SMTP_URL")
    if running.catches_mail:
        port = await stack.enter_async_context(catch_mail(box))
        os.environ["LENDERY_SMTP_URL"] = f"smtp://127.0.0.1:{port}"
    return mailbox_app(box, platform.token_verifier)


def settle_memory() -> None:
    """Leave what is there now out of every later garbage collection, the last one at the end included: it stays. And collect less
    often: requests leave no cycles behind, but as many as are under way at once look like growth to a threshold of 700 objects.

    Collections are on afterwards; `lendery up` has them off until then, which makes loading a tenth faster.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
    gc.enable()


@asynccontextmanager
async def resources_of(service: Service) -> AsyncIterator[None]:
    """What the service holds while any part of it runs. Raises `Trouble` when its secrets do not open."""
    async with AsyncExitStack() as stack:
        stack.push_async_callback(service.database.dispose)
        try:
            if service.resources is not None:
                await stack.enter_async_context(service.resources())
        except Undecryptable as error:
            raise Trouble(
                ExitCode.USAGE,
                f"The secrets that {service.name} keeps in the database were sealed under another key: {error}.",
                hint="Start with the LENDERY_ENCRYPTION_KEYS, or the data directory, with which they were made.",
            ) from error
        yield


async def _until_ready(running: RunningPlatform) -> None:
    """Ask the gateway until it says that every service is ready. Raises `Trouble` with what it said last."""
    import httpx

    said = "nothing"
    deadline = asyncio.get_running_loop().time() + _READY_SECONDS
    async with httpx.AsyncClient(base_url=running.gateway_url, timeout=5, trust_env=False) as client:
        while asyncio.get_running_loop().time() < deadline:
            answer = await client.get("/readyz")
            if answer.status_code == 200:
                return
            said = answer.text
            await asyncio.sleep(0.05)
    raise Trouble(ExitCode.SERVICE_FAILED, f"The platform did not become ready. The gateway says: {said}")


async def watch(running: RunningPlatform, database_trouble: Callable[[], Trouble | None]) -> None:
    """Return never; raises `Trouble` when a part of the platform has ended by itself."""
    while True:
        await asyncio.sleep(_WATCH_EVERY_SECONDS)
        if trouble := database_trouble():
            raise trouble
        if ended := running.faults():
            _log.error("a part of the platform ended by itself", extra={"parts": ended})
            raise Trouble(ExitCode.SERVICE_FAILED, f"{', '.join(ended)} stopped by itself; the log says why.")


Ready = Callable[[RunningPlatform], Awaitable[None]]


async def run_platform(
    gateway_listener: socket.socket,
    data: DataDirectory,
    database_url: str,
    *,
    say: Callable[[str], None],
    ready: Ready,
    database_trouble: Callable[[], Trouble | None],
) -> None:
    """Run until cancelled; `ready` is called once everything is up. Raises `Trouble`."""
    async with running_platform(gateway_listener, data, database_url, say) as running:
        await ready(running)
        await watch(running, database_trouble)
