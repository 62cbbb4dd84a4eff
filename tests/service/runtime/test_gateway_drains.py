"""`lendery serve gateway` that is told to stop while it has work: nothing is cut."""

import asyncio
import os
import signal
import sys

import httpx

from tests.service.gateway.conftest import SERVICES, Running, upstream, upstream_server
from tests.service.gateway.upstream import EchoUpstream
from tests.support.platforms import free_port

__all__ = ["upstream", "upstream_server"]


async def test_requests_under_way_at_sigterm_all_complete(upstream: EchoUpstream, upstream_server: Running) -> None:
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LENDERY_")} | {
        f"LENDERY_{name.upper()}_URL": upstream_server.url for name in SERVICES
    }
    for name in ("AMQP_URL", "REDIS_URL"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "runtime", "serve", "gateway", "--host", "127.0.0.1", "--port", str(port)]
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as http:
            await _until_up(http)
            upstream.seen.clear()
            waiting = [asyncio.create_task(http.get("/v1/payment-providers?do=stall")) for _ in range(20)]
            await upstream.until_seen(20)
            process.send_signal(signal.SIGTERM)
            # Longer than it takes to stop a gateway that has nothing to do.
            await asyncio.sleep(0.5)
            assert process.returncode is None
            upstream.go_on.set()
            answers = await asyncio.gather(*waiting)
        assert [answer.status_code for answer in answers] == [200] * 20
        assert {answer.headers["connection"] for answer in answers} == {"close"}
        assert await asyncio.wait_for(process.wait(), 30) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _until_up(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                if (await http.get("/healthz")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)
