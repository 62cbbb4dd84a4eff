"""`lendery serve gateway` that is told to stop while it has work: nothing is cut."""

import asyncio
import signal

from tests.service.gateway.conftest import Running, upstream, upstream_server
from tests.service.gateway.process import gateway_process
from tests.service.gateway.upstream import EchoUpstream

__all__ = ["upstream", "upstream_server"]


async def test_requests_under_way_at_sigterm_all_complete(upstream: EchoUpstream, upstream_server: Running) -> None:
    async with gateway_process(upstream_server) as gateway:
        upstream.seen.clear()
        waiting = [asyncio.create_task(gateway.http.get("/v1/payment-providers?do=stall")) for _ in range(20)]
        await upstream.until_seen(20)
        gateway.process.send_signal(signal.SIGTERM)
        # Longer than it takes to stop a gateway that has nothing to do.
        await asyncio.sleep(0.5)
        assert gateway.process.returncode is None
        upstream.go_on.set()
        answers = await asyncio.gather(*waiting)
        assert [answer.status_code for answer in answers] == [200] * 20
        assert {answer.headers["connection"] for answer in answers} == {"close"}
        assert await asyncio.wait_for(gateway.process.wait(), 30) == 0
