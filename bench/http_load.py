"""As a child: people who send money over HTTP, each on a connection of their own that stays open.

A client library would take as much of the machine as the service does, so requests are written, and answers read, as bytes.
"""

import asyncio
import json
import random
from collections.abc import Mapping, Sequence
from typing import Any, cast

import uvloop

from bench import children
from bench.closed_loop import Measured, Step, Timing, closed_loop
from bench.seed import CURRENCY

_LENGTH = b"content-length:"


class UnexpectedAnswer(Exception):
    """Something else than 201 Created came back."""


class Connection(asyncio.Protocol):
    """One connection, with one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._received = b""
        self._answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is one without saying so

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError())

    def data_received(self, data: bytes) -> None:
        """Hand over the answer once all of it is there. The servers measured here always say its length."""
        self._received += data
        head_end = self._received.find(b"\r\n\r\n")
        if head_end < 0 or self._answer is None:
            return
        head = self._received[:head_end].lower()
        at = head.find(_LENGTH)
        if at < 0:
            self._answer.set_exception(UnexpectedAnswer(f"an answer without a length: {head[:500]!r}"))
            return
        length = int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0])
        if len(self._received) >= head_end + 4 + length:
            answer, self._received = self._received, b""
            self._answer.set_result(answer)

    async def ask(self, request: bytes) -> bytes:
        """Send a request; its whole answer. Raises `OSError` when the connection is lost."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer


def _request(sender: Mapping[str, str], recipient: str, key: str) -> bytes:
    order = {"from_wallet_id": sender["wallet_id"], "to": {"wallet_id": recipient}, "amount": 1, "currency": CURRENCY}
    body = json.dumps(order).encode()
    head = (
        "POST /v1/transfers HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {sender['token']}\r\nIdempotency-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _step(port: int, sender: Mapping[str, str], recipients: Sequence[str]) -> Step:
    _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    others = [one for one in recipients if one != sender["wallet_id"]]
    run, sent = random.randbytes(8).hex(), 0

    async def send_money() -> int:
        nonlocal sent
        sent += 1
        answer = await connection.ask(_request(sender, random.choice(others), f"{run}-{sent}"))
        if not answer.startswith(b"HTTP/1.1 201 "):
            raise UnexpectedAnswer(answer[:1000].decode(errors="replace"))
        return 1

    return send_money


async def measure(orders: Mapping[str, Any]) -> Measured:
    """Transfers a second."""
    steps = [await _step(orders["port"], sender, orders["recipients"]) for sender in orders["senders"]]
    return await closed_loop(steps, Timing(orders["seconds"], orders["warm_up_seconds"]))


def main() -> None:
    """As a child: send."""
    children.answer(uvloop.run(measure(children.orders())).as_json())


if __name__ == "__main__":
    main()
