"""Rate limits at the gateway, counted in the process and in a real Redis."""

import asyncio
import os
import secrets
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from shutil import which

import pytest
from redis.asyncio import Redis

from gateway.limits import Limit, ProcessBuckets, RedisBuckets
from shared.ids import new_id
from tests.service.gateway.conftest import StartGateway
from tests.service.gateway.upstream import EchoUpstream
from tests.support.identity import bearer


async def test_too_many_of_one_user(start_gateway: StartGateway, upstream: EchoUpstream) -> None:
    first, second = bearer(new_id()), bearer(new_id())
    async with start_gateway(gateway_limits="read=3/60") as gateway:
        for left in (2, 1, 0):
            answer = await gateway.http.get("/v1/wallets", headers=first)
            assert answer.status_code == 200
            assert answer.headers["ratelimit-policy"] == '"read";q=3;w=60'
            assert answer.headers["ratelimit"].startswith(f'"read";r={left};t=')
        refused = await gateway.http.get("/v1/loans", headers=first)
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert 1 <= int(refused.headers["retry-after"]) <= 20
        assert refused.headers["ratelimit"].startswith('"read";r=0;t=')
        assert (await gateway.http.get("/v1/wallets", headers=second)).status_code == 200
        assert (await gateway.http.post("/v1/wallets", headers=first)).status_code == 200
    assert len(upstream.seen) == 5


async def test_too_many_of_one_address(start_gateway: StartGateway, upstream: EchoUpstream) -> None:
    async with start_gateway(gateway_limits="sign_in=2/60", trusted_proxies="127.0.0.1") as gateway:
        for sender, status in [("203.0.113.1", 200), ("203.0.113.1", 200), ("203.0.113.1", 429), ("203.0.113.2", 200)]:
            answer = await gateway.http.post("/v1/auth/login", json={}, headers={"X-Forwarded-For": sender})
            assert answer.status_code == status
        for host, status in [("1", 200), ("2", 200), ("3", 429)]:  # one household's IPv6 addresses are one
            answer = await gateway.http.post("/v1/auth/login", headers={"X-Forwarded-For": f"2001:db8:1:2::{host}"})
            assert answer.status_code == status
    assert len(upstream.seen) == 5


async def test_a_route_may_have_a_limit_of_its_own_beside_that_of_its_class(
    start_gateway: StartGateway, upstream: EchoUpstream
) -> None:
    async with start_gateway(gateway_limits="login=2/60,sign_in=5/60", trusted_proxies="127.0.0.1") as gateway:

        async def ask(path: str, sender: str = "203.0.113.1") -> tuple[int, str]:
            answer = await gateway.http.post(path, json={}, headers={"X-Forwarded-For": sender})
            return answer.status_code, answer.headers["ratelimit"]

        status, told = await ask("/v1/auth/login")
        assert (status, [part.split(";")[:2] for part in told.split(", ")]) == (200, [['"sign_in"', "r=4"], ['"login"', "r=1"]])
        assert (await ask("/v1/auth/login"))[0] == 200
        assert (await ask("/v1/auth/login"))[0] == 429
        assert (await ask("/v1/auth/login", "203.0.113.2"))[0] == 200
        # Each route counts for itself; and all of them, refused ones too, for their class.
        assert (await ask("/v1/auth/login/mfa"))[0] == 200
        assert (await ask("/v1/auth/refresh"))[0] == 200
        assert (await ask("/v1/auth/refresh"))[0] == 429
    assert len(upstream.seen) == 5


async def test_bad_tokens_are_counted_by_address(start_gateway: StartGateway, upstream: EchoUpstream) -> None:
    async with start_gateway(gateway_limits="new_token=3/60") as gateway:
        good = bearer(new_id())
        for status in (200, 200, 200):
            assert (await gateway.http.get("/v1/wallets", headers=good)).status_code == status
        codes = [
            (await gateway.http.get("/v1/wallets", headers={"Authorization": f"Bearer a.b.{number}"})).status_code
            for number in range(4)
        ]
        assert codes == [401, 401, 429, 429]
        assert (await gateway.http.get("/v1/wallets", headers=good)).status_code == 200
    assert len(upstream.seen) == 4


async def test_a_laptop_is_not_limited_in_a_test_of_thousands(start_gateway: StartGateway) -> None:
    async with start_gateway() as gateway:
        limits = gateway.edge.table.limits
    assert min(limit.requests for name, limit in limits.items() if name != "sign_in") >= 100_000
    assert limits["sign_in"].requests >= 1000
    async with start_gateway(env="production", public_url="https://lendery.test") as gateway:
        assert gateway.edge.table.limits["sign_in"] == Limit(120, 60)


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis server: that of `TEST_REDIS_URL`, or one started for these tests."""
    if given := os.environ.get("TEST_REDIS_URL"):
        yield given
        return
    program = which("redis-server")
    if program is None:
        reason = "NO REDIS: no redis-server on this machine, and TEST_REDIS_URL names none. Shared limits were NOT tested."
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    directory: Path = tmp_path_factory.mktemp("redis")
    address = directory / "redis.sock"
    server = subprocess.Popen(
        [program, "--port", "0", "--unixsocket", str(address), "--save", "", "--dir", str(directory)], stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while not address.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    yield f"unix://{address}"
    server.terminate()
    server.wait(10)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of it."""
    client = Redis.from_url(redis_url)
    yield client
    await client.aclose()


async def test_redis_counts_for_all_gateways_together(redis: Redis) -> None:
    prefix = f"lendery-test:{secrets.token_hex(4)}:"
    one, two = RedisBuckets(redis, prefix=prefix), RedisBuckets(redis, prefix=prefix)
    limit = Limit(10, 60)
    decisions = await asyncio.gather(*(buckets.take(("somebody",), limit) for buckets in (one, two) for _ in range(10)))
    assert sum(decision.allowed for decision in decisions) == 10
    refused = next(decision for decision in decisions if not decision.allowed)
    assert 0 < refused.retry_in_seconds <= 6
    assert (await one.take(("another",), limit)).remaining == 9
    [key] = [key async for key in redis.scan_iter(f"{prefix}somebody")]
    assert 0 < await redis.pttl(key) <= 60_001
    await redis.delete(key, f"{prefix}another")


async def test_redis_and_the_process_decide_alike(redis: Redis) -> None:
    limit = Limit(4, 2)
    key = (f"alike-{secrets.token_hex(4)}",)
    both = RedisBuckets(redis), ProcessBuckets()
    for pause in (0, 0, 0, 0.75, 0, 1.25, 0):
        await asyncio.sleep(pause)
        first, second = [await buckets.take(key, limit) for buckets in both]
        assert (first.allowed, first.remaining) == (second.allowed, second.remaining)
        assert first.full_in_seconds == pytest.approx(second.full_in_seconds, abs=0.2)


async def test_the_gateway_counts_in_redis(start_gateway: StartGateway, redis: Redis, redis_url: str) -> None:
    user_id = new_id()
    settings = {"redis_url": redis_url, "gateway_limits": "read=2/60"}
    async with start_gateway(**settings) as one, start_gateway(**settings) as two:
        statuses = [
            (await gateway.http.get("/v1/wallets", headers=bearer(user_id))).status_code for gateway in (one, two, one, two)
        ]
    assert statuses == [200, 200, 429, 429]
    async for key in redis.scan_iter("lendery:limit:*"):
        await redis.delete(key)


async def test_redis_away_is_nobodys_outage(start_gateway: StartGateway) -> None:
    user = bearer(new_id())
    async with start_gateway(redis_url="redis://127.0.0.1:1/0", gateway_limits="read=2/60") as gateway:
        statuses = [(await gateway.http.get("/v1/wallets", headers=user)).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
