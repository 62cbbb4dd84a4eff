"""As a child: the least that an aiohttp proxy can do. It passes on a request and its answer, and checks, counts, limits and
logs nothing.
"""

import asyncio
import signal

import aiohttp
import uvloop
from aiohttp import web

from bench import children

_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host", "server", "date"})


async def _serve(port: int, upstream: str) -> None:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:

        async def forward(request: web.Request) -> web.Response:
            headers = [(name, value) for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP]
            async with session.request(
                request.method, upstream + request.raw_path, headers=headers, data=await request.read() or None
            ) as answer:
                passed = [(name, value) for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP]
                return web.Response(status=answer.status, body=await answer.read(), headers=dict(passed))

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", forward)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        stopped = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
        await stopped.wait()
        await runner.cleanup()


def main() -> None:
    """Serve until told to stop."""
    orders = children.orders()
    uvloop.run(_serve(orders["port"], orders["upstream"]))


if __name__ == "__main__":
    main()
