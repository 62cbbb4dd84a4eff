"""`lendery serve gateway` as an operator starts it: a process of its own, before an upstream of the test's."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx

from tests.service.gateway.conftest import SERVICES, Running
from tests.support.platforms import free_port


@dataclass
class GatewayProcess:
    """The process and a client of it."""

    process: asyncio.subprocess.Process
    http: httpx.AsyncClient

    async def until_logged(self, text: str) -> None:
        """Wait until a line of its log has `text`."""
        assert self.process.stderr is not None
        async with asyncio.timeout(60):
            while text not in (line := await self.process.stderr.readline()).decode():
                assert line, "it has ended"


@contextlib.asynccontextmanager
async def gateway_process(upstream: Running, **variables: str) -> AsyncIterator[GatewayProcess]:
    """A gateway that answers; `variables` are those of its environment, beside the addresses of services. Killed at the end."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LENDERY_")} | variables
    environment |= {f"LENDERY_{name.upper()}_URL": upstream.url for name in SERVICES}
    for name in ("AMQP_URL", "REDIS_URL"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "runtime", "serve", "gateway", "--host", "127.0.0.1", "--port", str(port)]
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, limit=1 << 24
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as http:
            await _until_up(http)
            yield GatewayProcess(process, http)
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
