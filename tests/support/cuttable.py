"""A TCP proxy on loopback whose connections a test can cut, refuse or hold still."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Proxy:
    """Forwards to one address. `cut` drops every connection; while `refusing`, new ones are dropped at once."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.refusing = False
        self.port = 0
        self.accepted = 0
        self.bytes_to_target = 0

    def cut(self) -> int:
        """Drop every connection without a goodbye; how many ends that were."""
        writers = list(self._writers)
        for writer in writers:
            writer.transport.abort()
        return len(writers)

    def hold(self) -> None:
        """Pass nothing on, in either direction, until `release`."""
        self._flowing.clear()

    def release(self) -> None:
        """Pass on again."""
        self._flowing.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        self.accepted += 1
        target_reader, target_writer = await asyncio.open_connection(*self._target)
        for one in (writer, target_writer):
            self._writers.add(one)
        for source, sink, inward in ((reader, target_writer, True), (target_reader, writer, False)):
            task = asyncio.create_task(self._pump(source, sink, inward))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, inward: bool) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                await self._flowing.wait()
                self.bytes_to_target += len(data) if inward else 0
                sink.write(data)
                await sink.drain()
        sink.transport.abort()
        self._writers.discard(sink)


@asynccontextmanager
async def proxy_to(host: str, port: int) -> AsyncIterator[Proxy]:
    """A proxy on a free port, for the block."""
    proxy = Proxy(host, port)
    server = await asyncio.start_server(proxy._accept, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.release()
        proxy.cut()
        for task in list(proxy._tasks):
            task.cancel()
        await asyncio.gather(*proxy._tasks, return_exceptions=True)
