"""Clients that hold a connection with almost no effort: slow heads, slow bodies, answers that nobody reads."""

import asyncio
import contextlib

import pytest

from gateway import body as request_body
from shared.http import protocol
from tests.service.gateway.conftest import Gateway, StartGateway, raw_exchange
from tests.service.gateway.upstream import EchoUpstream


async def test_a_body_that_does_not_come(start_gateway: StartGateway, upstream: EchoUpstream, as_user: dict[str, str]) -> None:
    async with start_gateway(gateway_body_timeout_seconds=0.1) as gateway:
        for length in (100, 100_000):
            head = [
                "POST /v1/wallets HTTP/1.1",
                "Host: x",
                f"Content-Length: {length}",
                f"Authorization: {as_user['Authorization']}",
            ]
            answer = await raw_exchange(gateway.running.port, "\r\n".join([*head, "", "half"]).encode())
            assert answer.startswith(b"HTTP/1.1 408"), length
    assert [seen.body for seen in upstream.seen] in ([], [b"half"])


async def test_a_head_that_never_ends(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.running.port)
    answer = asyncio.create_task(reader.read())
    writer.write(b"GET /v1/wallets HTTP/1.1\r\n")
    with contextlib.suppress(ConnectionError):
        for number in range(500):  # a header now and then does not buy more time
            writer.write(b"X-%d: 1\r\n" % number if number < 50 else b"")
            await asyncio.sleep(0.02)
            if answer.done():
                break
    assert (await asyncio.wait_for(answer, 60)).startswith(b"HTTP/1.1 408")
    writer.close()


async def test_a_connection_that_asks_nothing(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    assert await raw_exchange(gateway.running.port, b"") == b""


async def test_a_second_head_on_a_connection_that_never_ends(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.running.port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await asyncio.wait_for(reader.readline(), 60)).startswith(b"HTTP/1.1 200")
    writer.write(b"GET /healthz HTTP/1.1\r\nX")
    assert b"HTTP/1.1 408" in await asyncio.wait_for(reader.read(), 60)
    writer.close()


async def test_a_body_in_drops(
    start_gateway: StartGateway, upstream: EchoUpstream, as_user: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each piece comes in time, all of it would take hours."""
    monkeypatch.setattr(request_body, "_SLOWEST_BYTES_A_SECOND", 1_000_000)
    async with start_gateway(gateway_body_timeout_seconds=0.3) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.running.port)
        answer = asyncio.create_task(reader.read())
        head = [
            "POST /v1/wallets HTTP/1.1",
            "Host: x",
            f"Authorization: {as_user['Authorization']}",
            "Content-Length: 5000",
            "",
            "",
        ]
        writer.write("\r\n".join(head).encode())
        with contextlib.suppress(ConnectionError):
            while not answer.done():
                writer.write(b"x")
                await asyncio.sleep(0.02)
        assert (await asyncio.wait_for(answer, 60)).startswith(b"HTTP/1.1 408")
        writer.close()
    assert upstream.seen == []


async def test_an_answer_that_nobody_reads(
    gateway: Gateway, upstream: EchoUpstream, as_user: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "UNREAD_SECONDS", 0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.running.port, limit=1024)
    head = ["GET /v1/wallets?do=flood HTTP/1.1", "Host: x", f"Authorization: {as_user['Authorization']}", "", ""]
    writer.write("\r\n".join(head).encode())
    await upstream.until_seen(1)
    # Not read: the service is told to stop, and nothing is held for this client any more.
    await asyncio.wait_for(upstream.cancelled.wait(), 60)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(reader.readexactly(1 << 30), 60)
    writer.close()
    assert gateway.edge.in_flight == 0
