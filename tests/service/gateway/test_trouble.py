"""Services that are slow, broken or away, and a gateway that stops."""

import asyncio
import socket
from dataclasses import replace

import aiohttp
import pytest

from gateway.table import Table
from shared.ids import new_id
from tests.service.gateway.conftest import Gateway, Running, StartGateway, serving
from tests.service.gateway.upstream import EchoUpstream
from tests.support.identity import bearer


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _hurry(gateway: Gateway, seconds: float) -> None:
    """Give every route that many seconds."""
    edge = gateway.edge
    routes = [replace(route, timeout_seconds=seconds) for route in edge.table.routes.routes]
    edge.table = Table(routes, edge.table.limits, services=edge.settings.upstreams)


async def test_a_service_that_is_away(start_gateway: StartGateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    async with start_gateway(wallet_ledger_url=f"http://127.0.0.1:{_closed_port()}") as gateway:
        answer = await gateway.http.post("/v1/wallets", json={}, headers=as_user)
        assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.headers["content-type"] == "application/problem+json"
        assert (await gateway.http.get("/v1/loans", headers=as_user)).status_code == 200
    assert len(upstream.seen) == 1


async def test_a_service_that_is_slow(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    _hurry(gateway, 0.2)
    answer = await gateway.http.post("/v1/wallets?do=stall", json={}, headers=as_user)
    assert (answer.status_code, answer.json()["code"]) == (504, "gateway_timeout")
    assert "retry-after" in answer.headers
    await asyncio.wait_for(upstream.cancelled.wait(), 30)
    assert len(upstream.seen) == 1


async def test_the_time_of_an_upload_does_not_count(gateway: Gateway, as_user: dict[str, str]) -> None:
    _hurry(gateway, 1)

    async def pieces():  # type: ignore[no-untyped-def]
        for _ in range(8):
            yield b"x"
            await asyncio.sleep(0.15)

    answer = await gateway.http.post("/v1/kyc", content=pieces(), headers=as_user)
    assert answer.json()["length"] == 8


async def test_a_post_that_breaks_is_not_repeated(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    answer = await gateway.http.post("/v1/wallets?do=reset", json={}, headers=as_user)
    assert (answer.status_code, answer.json()["code"]) == (502, "bad_gateway")
    assert "Idempotency-Key" in answer.json()["detail"]
    assert len(upstream.seen) == 1


async def test_an_answer_that_breaks_off_is_seen_to(gateway: Gateway, as_user: dict[str, str]) -> None:
    with pytest.raises(Exception, match=r"peer closed|incomplete"):
        await gateway.http.get("/v1/wallets?do=half", headers=as_user)
    assert (await gateway.http.get("/v1/wallets", headers=as_user)).status_code == 200


async def test_a_small_answer_that_breaks_off_is_a_problem(gateway: Gateway, as_user: dict[str, str]) -> None:
    answer = await gateway.http.get("/v1/wallets?do=cut", headers=as_user)
    assert (answer.status_code, answer.json()["code"]) == (502, "bad_gateway")


async def test_connections_that_the_service_closed_meanwhile(
    start_gateway: StartGateway, upstream: EchoUpstream, as_user: dict[str, str]
) -> None:
    """The race that every keep-alive proxy has: a GET meets it unseen."""
    async with serving(upstream, drain_seconds=1) as first:
        port = first.port
        async with start_gateway(lending_url=first.url) as gateway:
            assert (await gateway.http.get("/v1/loans", headers=as_user)).status_code == 200
            await first.stop()
            async with serving(upstream, drain_seconds=1, port=port):
                assert (await gateway.http.get("/v1/loans", headers=as_user)).status_code == 200
    assert len(upstream.seen) == 2


async def test_the_breaker_opens_and_closes(start_gateway: StartGateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    port = _closed_port()
    async with start_gateway(
        lending_url=f"http://127.0.0.1:{port}", gateway_breaker_failures=3, gateway_breaker_seconds=2
    ) as gateway:
        breaker = gateway.edge.upstreams.by_name["lending"].breaker
        for _ in range(3):
            assert not breaker.open
            assert (await gateway.http.get("/v1/loans", headers=as_user)).status_code == 503
        assert breaker.open
        async with serving(upstream, drain_seconds=1, port=port):
            refused = await gateway.http.get("/v1/loans", headers=as_user)
            assert (refused.status_code, refused.headers["retry-after"]) in {(503, "1"), (503, "2")}
            assert upstream.seen == []
            await asyncio.sleep(2.05)
            assert (await gateway.http.get("/v1/loans", headers=as_user)).status_code == 200
            assert not breaker.open
            assert (await gateway.http.get("/v1/wallets", headers=as_user)).status_code == 200


async def test_an_error_of_the_service_is_an_answer(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    for _ in range(8):
        answer = await gateway.http.post("/v1/kyc?do=refuse", headers=as_user)
        assert answer.status_code == 409
    assert not gateway.edge.upstreams.by_name["auth"].breaker.open


async def test_a_keyless_start(start_gateway: StartGateway, upstream: EchoUpstream) -> None:
    """Before the auth service has published its keys nobody can be told from anybody: 503, not 401."""
    async with start_gateway() as gateway:
        gateway.edge.authenticator._verifier._fetch = _no_keys
        answer = await gateway.http.get("/v1/wallets", headers=bearer(new_id()))
        assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
    assert upstream.seen == []


async def _no_keys() -> dict[str, dict[str, str]]:
    raise ValueError("not yet")


async def test_draining_ends_streams_and_nothing_else(gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    async with aiohttp.ClientSession(gateway.running.url) as client:
        stream = await client.get("/v1/stream?do=sse", headers=as_user)
        assert await stream.content.readline() == b"data: first\n"
        slow = asyncio.create_task(client.get("/v1/wallets?do=stall", headers=as_user))
        await upstream.until_seen(2)
        gateway.app.state.drain()
        assert await asyncio.wait_for(stream.content.read(), 30) == b"\n"  # a clean end, not a broken one
        ready = await client.get("/readyz")
        assert (ready.status, (await ready.json())["status"]) == (503, "draining")
        # The grace is far longer than the test waits, so a stop that ends did not have to use it up.
        gateway.running.server.config.timeout_graceful_shutdown = 600
        stopping = asyncio.create_task(gateway.running.stop())
        await asyncio.sleep(0.2)
        assert not slow.done()
        assert not stopping.done()
        upstream.go_on.set()
        assert (await asyncio.wait_for(slow, 60)).status == 200
        await asyncio.wait_for(stopping, 60)


async def test_every_route_has_its_timeout(gateway: Gateway) -> None:
    routes = gateway.edge.table.routes.routes
    long = [route for route in routes if route.timeout_seconds > 600]
    assert {route.pattern for route in long} == {
        "/v1/admin/close-of-business",
        "/v1/admin/ledger/reconciliations",
        "/v1/admin/ledger/verify",
    }
    # `Prefer: wait=30` is held by the service: no shorter timeout may cut it.
    assert min(route.timeout_seconds for route in routes) > 30


async def test_readiness(start_gateway: StartGateway, upstream: EchoUpstream, upstream_server: Running) -> None:
    async with start_gateway(lending_url=f"http://127.0.0.1:{_closed_port()}") as gateway:
        answer = await gateway.http.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (503, "starting")
        assert answer.json()["checks"]["auth"] == {"state": "up"}
        assert answer.json()["checks"]["lending"]["state"] == "down"
    async with start_gateway() as gateway:
        answer = await gateway.http.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (200, "ready")
        assert set(answer.json()["checks"]) == {
            "auth", "wallet_ledger", "lending", "payments", "notifications", "sandbox", "mailbox",
        }  # fmt: skip
        upstream.ready_status = 503
        assert (await gateway.http.get("/readyz")).json()["status"] == "ready"  # asked once a second at most
        gateway.edge.upstreams._states_at = float("-inf")
        answer = await gateway.http.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
        assert answer.json()["checks"]["auth"] == {"state": "down", "reason": "answers 503"}
