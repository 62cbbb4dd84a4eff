"""As a child: people who send money over HTTP, each on a connection of their own that stays open.

A client library would take as much of the machine as the service does. So a request is put together from bytes that are ready,
all of one length, an answer is looked at for its status and its length, and the next request leaves in the same turn of the
event loop.
"""

import asyncio
import json
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

import uvloop

from bench import children
from bench.closed_loop import Measured, Tally, Timing
from bench.http_connection import UnexpectedAnswer
from bench.seed import CURRENCY

_CREATED = b"HTTP/1.1 201 "
_LENGTH = b"content-length:"
_PLACE = "00000000-0000-0000-0000-000000000000"


class Person(asyncio.Protocol):
    """One connection, with one request at a time, until the time is over. `ended` has then a result, or what went wrong."""

    def __init__(self, sender: Mapping[str, str], recipients: Sequence[bytes], tally: Tally) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._own = sender["wallet_id"].encode()
        self._recipients = recipients
        self._tally = tally
        self._parts = _parts(sender)
        self._sent = 0
        self._asked = 0.0
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is one without saying so

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        self._end(exc or ConnectionResetError())

    def ask(self) -> None:
        """Send the next request."""
        head, middle, end = self._parts
        self._sent += 1
        recipient = self._own
        while recipient == self._own:
            recipient = self._recipients[int(random.random() * len(self._recipients))]
        self._asked = time.perf_counter()
        self._transport.write(b"%b%08d%b%b%b" % (head, self._sent, middle, recipient, end))

    def data_received(self, data: bytes) -> None:
        """Count the answer once all of it is there, and ask again. The servers measured here always say its length."""
        self._received = received = self._received + data if self._received else data
        head_end = received.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = received[:head_end].lower()
        at = head.find(_LENGTH)
        if at < 0 or not received.startswith(_CREATED):
            self._end(UnexpectedAnswer(received[:1000].decode(errors="replace")))
            return
        if len(received) < head_end + 4 + int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0]):
            return
        self._received = b""
        answered = time.perf_counter()
        self._tally.add(self._asked, answered, 1)
        if answered < self._tally.end:
            self.ask()
        else:
            self._end(None)

    def _end(self, trouble: Exception | None) -> None:
        if self.ended.done():
            return
        if trouble is None:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(trouble)


def _parts(sender: Mapping[str, str]) -> tuple[bytes, bytes, bytes]:
    """A request without the last digits of its key and without its recipient, which go between the parts."""
    order = {"from_wallet_id": sender["wallet_id"], "to": {"wallet_id": _PLACE}, "amount": 1, "currency": CURRENCY}
    body = json.dumps(order).encode()
    head = (
        "POST /v1/transfers HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {sender['token']}\r\nContent-Length: {len(body)}\r\n"
        f"Idempotency-Key: {random.randbytes(8).hex()}-"
    )
    before, after = body.split(_PLACE.encode())
    return head.encode(), b"\r\n\r\n" + before, after


async def measure(orders: Mapping[str, Any]) -> Measured:
    """Transfers a second."""
    recipients = [one.encode() for one in orders["recipients"]]
    timing = Timing(orders["seconds"], orders["warm_up_seconds"])
    loop = asyncio.get_running_loop()
    tally = Tally(timing)
    people = [Person(sender, recipients, tally) for sender in orders["senders"]]
    for person in people:
        await loop.create_connection(lambda person=person: person, "127.0.0.1", orders["port"])  # type: ignore[misc]
    tally.start()
    used = time.process_time()
    for person in people:
        person.ask()
    await asyncio.gather(*(person.ended for person in people))
    return tally.measured(load=time.process_time() - used)


def main() -> None:
    """As a child: send."""
    children.answer(uvloop.run(measure(children.orders())).as_json())


if __name__ == "__main__":
    main()
