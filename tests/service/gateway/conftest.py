"""A running gateway before a running upstream."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from gateway.main import build
from gateway.settings import Settings
from shared.http.protocol import HttpProtocol
from shared.ids import new_id
from tests.service.gateway.upstream import EchoUpstream
from tests.support.identity import bearer, platform_for_tests

SERVICES = ("auth", "wallet_ledger", "lending", "payments", "notifications", "sandbox", "mailbox")


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield

    async def main_loop(self) -> None:
        """Look for the end more often than every tenth of a second."""
        await self.on_tick(0)
        while not self.should_exit:  # noqa: ASYNC110 uvicorn's way to say it
            await asyncio.sleep(0.005)


@dataclass
class Running:
    """A server and where it listens."""

    url: str
    port: int
    server: uvicorn.Server
    task: "asyncio.Task[None]"

    async def stop(self) -> None:
        """As SIGTERM would."""
        self.server.should_exit = True
        await self.task


@contextlib.asynccontextmanager
async def serving(app: Any, *, drain_seconds: int = 2, port: int = 0) -> AsyncIterator[Running]:
    """`app` on a loopback port."""
    # Named TCP: asyncio sets TCP_NODELAY only then, and without it every second answer waits 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    port = listener.getsockname()[1]
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=drain_seconds,
        http=HttpProtocol,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve([listener]))
    while not server.started:
        assert not task.done()
        await asyncio.sleep(0.002)
    running = Running(f"http://127.0.0.1:{port}", port, server, task)
    try:
        yield running
    finally:
        await running.stop()
        listener.close()


@pytest.fixture
async def upstream() -> EchoUpstream:
    """What stands for every service."""
    return EchoUpstream()


@pytest.fixture
async def upstream_server(upstream: EchoUpstream) -> AsyncIterator[Running]:
    """The upstream, running."""
    async with serving(upstream, drain_seconds=1) as running:

        def close_connections() -> None:
            for connection in list(running.server.server_state.connections):
                connection.transport.abort()

        upstream.close_connections = close_connections
        yield running
        upstream.go_on.set()


@dataclass
class Gateway:
    """A running gateway and a client of it."""

    app: FastAPI
    running: Running
    http: httpx.AsyncClient

    @property
    def edge(self) -> Any:
        """Its state."""
        return self.app.state.edge


StartGateway = Callable[..., AbstractAsyncContextManager[Gateway]]


@pytest.fixture
def start_gateway(upstream_server: Running) -> StartGateway:
    """Starts a gateway whose settings differ by the keyword arguments."""

    @contextlib.asynccontextmanager
    async def start(**changed: Any) -> AsyncIterator[Gateway]:
        urls = {f"{name}_url": upstream_server.url for name in SERVICES}
        settings = Settings(**{"redis_url": None, "public_url": "http://lendery.test:8000", **urls, **changed})
        app = build(settings, platform_for_tests())
        async with (
            serving(app) as running,
            httpx.AsyncClient(base_url=running.url, timeout=10, trust_env=False) as http,
        ):
            yield Gateway(app, running, http)

    return start


@pytest.fixture
async def gateway(start_gateway: StartGateway) -> AsyncIterator[Gateway]:
    """A gateway with the settings of a laptop."""
    async with start_gateway() as gateway:
        yield gateway


@pytest.fixture
def user_id() -> UUID:
    """Somebody."""
    return new_id()


@pytest.fixture
def as_user(user_id: UUID) -> dict[str, str]:
    """The Authorization header of an ordinary user."""
    return bearer(user_id)


async def raw_exchange(port: int, request: bytes, *, until_end: bool = True) -> bytes:
    """Send bytes as they are; the answer's bytes until the server closes or, with `until_end` false, what comes first."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        await writer.drain()
        return await asyncio.wait_for(reader.read(-1 if until_end else 65536), 30)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
