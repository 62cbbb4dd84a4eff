"""`lendery serve gateway` that is told by SIGHUP to read its routes again, while it has work."""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

from tests.service.gateway.conftest import Running, upstream, upstream_server
from tests.service.gateway.process import GatewayProcess, gateway_process
from tests.service.gateway.upstream import EchoUpstream

__all__ = ["upstream", "upstream_server"]

_THEN = 1_700_000_000
_LISTED = "/v1/payment-providers"


def _write(file: Path, content: str | dict[str, Any]) -> None:
    """Always as of the same moment: the gateway, which watches the file's time, is not to see a change by itself."""
    new = file.with_suffix(".new")
    new.write_text(content if isinstance(content, str) else json.dumps(content))
    os.utime(new, (_THEN, _THEN))
    new.replace(file)


async def _hang_up(gateway: GatewayProcess, told: str) -> None:
    gateway.process.send_signal(signal.SIGHUP)
    await gateway.until_logged(told)


async def _policy(gateway: GatewayProcess) -> str:
    return str((await gateway.http.get(_LISTED)).headers["ratelimit-policy"])


async def test_a_hang_up_changes_the_rules_and_cuts_nothing(
    upstream: EchoUpstream, upstream_server: Running, tmp_path: Path
) -> None:
    file = tmp_path / "routes.json"
    _write(file, {"limits": {"public": "1000/60"}})
    async with gateway_process(upstream_server, LENDERY_GATEWAY_ROUTES_FILE=str(file)) as gateway:
        async with gateway.http.stream("GET", "/mailbox?do=sse") as stream:
            pieces = stream.aiter_bytes()
            assert await asyncio.wait_for(anext(pieces), 30) == b"data: first\n\n"
            waiting = asyncio.create_task(gateway.http.get(f"{_LISTED}?do=stall"))
            await upstream.until_seen(2)
            new_route = {"methods": ["GET"], "pattern": "/v1/new-thing", "service": "lending", "public": True}
            forbidden = {"methods": ["GET"], "pattern": "/mailbox", "public": False}
            _write(file, {"limits": {"public": "500/60"}, "routes": [new_route, forbidden]})
            assert await _policy(gateway) == '"public";q=1000;w=60', "nobody has said so yet"
            await _hang_up(gateway, "routes and limits were read again")
            assert await _policy(gateway) == '"public";q=500;w=60'
            assert (await gateway.http.get("/v1/new-thing")).status_code == 200
            assert (await gateway.http.get("/mailbox")).status_code == 401
            for broken in ("no json", {"limits": {"public": "fast"}}, {"routes": [{**new_route, "service": "nobody"}]}):
                _write(file, broken)
                await _hang_up(gateway, "the routes stay as they were")
                assert await _policy(gateway) == '"public";q=500;w=60'
                assert (await gateway.http.get("/v1/new-thing")).status_code == 200
            _write(file, {})
            await _hang_up(gateway, "routes and limits were read again")
            assert (await gateway.http.get("/v1/new-thing")).status_code == 404
            upstream.go_on.set()
            assert await asyncio.wait_for(anext(pieces), 30) == b"data: last\n\n"
            assert (await waiting).status_code == 200
        assert gateway.process.returncode is None
