"""One service as one deployment (`lendery serve`): its HTTP, its worker's part, or both."""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack

from fastapi import FastAPI

from runtime.background import background, transport_of, worker_checks
from runtime.http_server import HttpServer, serving
from runtime.platform import resources_of, settle_memory
from runtime.revocations import following_revocations
from runtime.services import ServiceEntry, build_gateway, consumer_tables
from runtime.settings import RuntimeSettings
from runtime.trouble import ExitCode, Trouble
from shared.http.app import operations_router
from shared.messaging.worker import MessagingWorker
from shared.service import Part, Platform, Service

_log = logging.getLogger(__name__)
_WATCH_EVERY_SECONDS = 0.5
_BROKER_SECONDS = 300.0
_DRAIN_SECONDS = 40
"""As long as the longest `Prefer: wait`, and a little more."""


async def run_gateway(listener: socket.socket, settings: RuntimeSettings) -> None:
    """Run the gateway until cancelled. Raises `Trouble`."""
    platform = Platform.of(settings)
    gateway = build_gateway(platform)
    if gateway.state.reloads:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, gateway.state.reload)
    drain_seconds = gateway.state.drain_seconds
    async with (
        following_revocations(platform, settings),
        serving(HttpServer("gateway", gateway, listener, drain=gateway.state.drain, drain_seconds=drain_seconds)) as server,
    ):
        settle_memory()
        await _watch(server, list)


async def run_service(entry: ServiceEntry, part: Part, listener: socket.socket, settings: RuntimeSettings) -> None:
    """Run a part of a service until cancelled. Raises `Trouble`."""
    platform = Platform.of(settings)
    service = entry.build(platform)
    worker = MessagingWorker(transport_of(settings), [service])
    app = _worker_app(service) if part == "worker" else service.app
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(resources_of(service))
        # Up before the worker, which may have to wait for the broker, and down before it, too.
        server = await stack.enter_async_context(serving(HttpServer(entry.name, app, listener, drain_seconds=_DRAIN_SECONDS)))
        if part != "api" and entry.worker:
            app.state.checks.update(worker_checks(worker, settings))
            consumers = consumer_tables()
            await stack.enter_async_context(background(worker, [service], consumers, patience_seconds=_BROKER_SECONDS))
            stack.push_async_callback(server.stop)
        await stack.enter_async_context(following_revocations(platform, settings))
        settle_memory()
        _log.info("serving", extra={"part": part})
        await _watch(server, worker.faults)


def _worker_app(service: Service) -> FastAPI:
    """What a worker answers: whether it is alive and ready, and its metrics."""
    app = FastAPI(title=f"{service.name} worker", openapi_url=None)
    app.state.checks = {"database": service.database.ping}
    app.include_router(operations_router(app.state.checks))
    return app


async def _watch(server: HttpServer, faults: Callable[[], list[str]]) -> None:
    """Return never; raises `Trouble` when a part of the deployment has ended by itself."""
    while True:
        await asyncio.sleep(_WATCH_EVERY_SECONDS)
        ended = ([server.name] if server.ended else []) + faults()
        if ended:
            raise Trouble(ExitCode.SERVICE_FAILED, f"{', '.join(ended)} stopped by itself; the log says why.")
