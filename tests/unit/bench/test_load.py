"""The client that sends the load, and what it says of the processor."""

import asyncio
import os

import pytest

from bench import http_load
from bench.closed_loop import Measured
from bench.http_connection import UnexpectedAnswer
from bench.processor import added_to, of_process, of_server, postmaster_of

OWN, OTHER = "00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002"
CREATED = b"HTTP/1.1 201 Created\r\nX-Any: 1\r\nContent-Length: 2\r\n\r\n{}"


async def _measure(answer: bytes, requests: list[bytes]) -> Measured:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            requests.append(head + await reader.readexactly(int(length.split(b":")[1])))
            for place in range(0, len(answer), 30):  # in pieces
                writer.write(answer[place : place + 30])
                await asyncio.sleep(0)

    def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> "asyncio.Task[None]":
        def ended(done: "asyncio.Task[None]") -> None:
            done.cancelled() or done.exception()
            writer.close()

        task = asyncio.create_task(serve(reader, writer))
        task.add_done_callback(ended)
        return task

    server = await asyncio.start_server(quietly, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    senders = [{"wallet_id": OWN, "token": "t"}, {"wallet_id": OTHER, "token": "t"}]
    orders = {"port": port, "senders": senders, "recipients": [OWN, OTHER], "seconds": 0.05, "warm_up_seconds": 0.01}
    try:
        return await http_load.measure(orders)
    finally:
        server.close()


async def test_every_request_is_another_and_goes_to_somebody_else() -> None:
    requests: list[bytes] = []
    measured = await _measure(CREATED, requests)
    assert measured.units == len(requests) > 2
    assert len({request.split(b"Idempotency-Key: ")[1].split(b"\r\n")[0] for request in requests}) == len(requests)
    assert all(request.count(OWN.encode()) == request.count(OTHER.encode()) == 1 for request in requests)
    assert measured.processor_microseconds["load"] > 0


async def test_a_refusal_is_no_achievement() -> None:
    with pytest.raises(UnexpectedAnswer, match="409"):
        await _measure(CREATED.replace(b"201", b"409"), [])


def test_processor_time_is_told_for_each_unit() -> None:
    measured = added_to(Measured(1.0, units=10, processor_microseconds={"load": 5.0}), {"a": 1.0}, {"a": 1.5, "b": 7.0})
    assert measured.processor_microseconds == {"load": 5.0, "a": 50_000.0}
    assert of_process(os.getpid()) > 0
    assert of_server(None) is None
    assert postmaster_of(os.getpid()) is None
