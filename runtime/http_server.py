"""HTTP servers in the event loop of this process: uvicorn, without its hold on signals and on the process's end."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import uvicorn

from runtime.trouble import ExitCode, Trouble
from shared.http.protocol import HttpProtocol

_log = logging.getLogger(__name__)
_LISTEN_BACKLOG = 2048
_DRAIN_SECONDS = 3
"""For the requests under way when a server stops, unless it is told how long: others have had them before."""
_EVERY_INTERFACE = "0.0.0.0"  # noqa: S104 compared with, not bound to


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; `port` 0 takes any free one. Raises `Trouble` when the port is taken or not allowed."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_LISTEN_BACKLOG)
    except OSError as error:
        raise Trouble(
            ExitCode.PORT_TAKEN,
            f"Port {port} on {host} cannot be used: {(error.strerror or str(error)).lower()}.",
            hint=f"Stop the program that uses it, or choose another port: LENDERY_PORT={port + 1}",
        ) from error


def address(listener: socket.socket) -> str:
    """The URL of a bound socket, as a program on this machine reaches it."""
    host, port = listener.getsockname()[:2]
    if listener.family == socket.AF_INET6:
        return f"http://[{'::1' if host == '::' else host}]:{port}"
    return f"http://{'127.0.0.1' if host == _EVERY_INTERFACE else host}:{port}"


class _Uvicorn(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the whole process's business."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start; a lifespan that fails ends this server, not the process."""
        try:
            await super().startup(sockets)
        except SystemExit:
            self.should_exit = True


class HttpServer:
    """Answers on `listener` with `app`. `drain` is called first when it stops; requests under way then have `drain_seconds`."""

    def __init__(
        self,
        name: str,
        app: Any,
        listener: socket.socket,
        *,
        drain: Callable[[], None] = lambda: None,
        drain_seconds: int = _DRAIN_SECONDS,
    ) -> None:
        self.name = name
        self._listener = listener
        self._drain = drain
        self._task: asyncio.Task[None] | None = None
        self._uvicorn = _Uvicorn(
            uvicorn.Config(
                app,
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                http=HttpProtocol,
                timeout_graceful_shutdown=drain_seconds,
            )
        )

    @property
    def ended(self) -> bool:
        """Whether it has stopped, by itself or because it was told to."""
        return self._task is not None and self._task.done()

    async def start(self) -> None:
        """Enter the app's lifespan and answer from now on. Raises `Trouble` when the lifespan fails."""
        self._task = asyncio.create_task(self._uvicorn.serve([self._listener]), name=f"http {self.name}")
        while not self._uvicorn.started:
            if self._task.done():
                failure = _failure(self._task)
                raise Trouble(ExitCode.SERVICE_FAILED, f"{self.name} did not start; the log says why.") from failure
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Take no more requests, give those under way some seconds, leave the app's lifespan."""
        if self._task is not None:
            self._drain()
            self._uvicorn.should_exit = True
            await asyncio.wait([self._task])
            if failure := _failure(self._task):
                _log.error("server ended badly", extra={"server": self.name}, exc_info=failure)
        self._listener.close()


@contextlib.asynccontextmanager
async def serving(server: HttpServer) -> AsyncIterator[HttpServer]:
    """Run `server` for the time of the block."""
    try:
        await server.start()
        yield server
    finally:
        await server.stop()


def _failure(task: asyncio.Task[None]) -> BaseException | None:
    return None if task.cancelled() or not task.done() else task.exception()
