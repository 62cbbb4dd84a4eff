"""As a child: requests at a steady rate, whether or not the earlier ones have been answered.

wrk waits for an answer before it asks again, so a server that stops for a moment is asked less, and the moment is counted once
("coordinated omission"). Here each request has its time. Latency counts from that time, also when no connection was free or
this program was late. Plain sockets and `select`, whose clock is finer than the millisecond of an event loop.
"""

import select
import socket
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench import children

_LENGTH = b"content-length:"
_PATIENCE_SECONDS = 40.0


class UnexpectedAnswer(Exception):
    """Something else than 200 OK came back, or nothing."""


@dataclass
class _Connection:
    socket: socket.socket
    due: float = 0.0
    received: bytes = b""

    def send(self, request: bytes, due: float) -> None:
        self.due, self.received = due, b""
        self.socket.sendall(request)

    def complete(self) -> bool:
        """Read what has come; whether that is the whole answer. The servers measured here always say its length."""
        piece = self.socket.recv(65536)
        if not piece:
            raise UnexpectedAnswer("a connection was closed")
        self.received += piece
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = self.received[:end].lower()
        at = head.find(_LENGTH)
        if not head.startswith(b"http/1.1 200 ") or at < 0:
            raise UnexpectedAnswer(self.received[:500].decode(errors="replace"))
        return len(self.received) >= end + 4 + int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0])


def paced(port: int, request: bytes, *, rate: float, seconds: float, warm_up_seconds: float, connections: int) -> list[float]:
    """Latencies in seconds of the requests that were due after `warm_up_seconds`. Raises `UnexpectedAnswer`."""
    idle = deque(_Connection(socket.create_connection(("127.0.0.1", port), timeout=5)) for _ in range(connections))
    for connection in idle:
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    busy: dict[socket.socket, _Connection] = {}
    latencies: list[float] = []
    start = time.perf_counter()
    total = int(rate * (warm_up_seconds + seconds))
    asked = 0
    while asked < total or busy:
        now = time.perf_counter()
        while asked < total and idle and start + asked / rate <= now:
            connection = idle.popleft()
            connection.send(request, start + asked / rate)
            busy[connection.socket] = connection
            asked += 1
        next_due = start + asked / rate - time.perf_counter() if asked < total and idle else 0.1
        for ready in select.select(list(busy), (), (), max(0.0, next_due))[0]:
            connection = busy[ready]
            if connection.complete():
                del busy[ready]
                idle.append(connection)
                if connection.due >= start + warm_up_seconds:
                    latencies.append(time.perf_counter() - connection.due)
        if now - start > warm_up_seconds + seconds + _PATIENCE_SECONDS:
            raise UnexpectedAnswer(f"{len(busy)} of {asked} requests were not answered in time")
    for connection in idle:
        connection.socket.close()
    return sorted(latencies)


def percentile(ordered: list[float], share: float) -> float:
    """The value below which that share of `ordered` lies."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def request_bytes(path: str, headers: Mapping[str, str]) -> bytes:
    """A GET."""
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def main() -> None:
    """Ask, and report milliseconds."""
    orders: Mapping[str, Any] = children.orders()
    latencies = paced(
        orders["port"],
        request_bytes(orders["path"], orders["headers"]),
        rate=orders["rate"],
        seconds=orders["seconds"],
        warm_up_seconds=orders["warm_up_seconds"],
        connections=orders["connections"],
    )
    children.answer({name: percentile(latencies, share) * 1000 for name, share in (("p50", 0.5), ("p99", 0.99))})


if __name__ == "__main__":
    main()
