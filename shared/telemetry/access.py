"""The access log: one JSON object a request, in the form of every other log line, at a tenth of the cost.

Lines wait a moment and are written together, with one system call. Whatever else is logged goes out at once, so a line of the
access log may come after a line that was logged later: its own `time` says when the request ended.
"""

import asyncio
import atexit
import logging
import time
from functools import lru_cache
from json import dumps

_WAIT_SECONDS = 0.1
_WAITING_MAX = 1000

log = logging.getLogger("lendery.access")


class Lines(str):
    """Several lines that are complete already; `shared.telemetry.logs` writes them as they are."""

    __slots__ = ()


@lru_cache(maxsize=4096)
def _what(service: str, method: str, route: str, status: int) -> str:
    """The part of a line that many lines share; `service` as JSON already."""
    return (
        f'"level": "INFO", "logger": "lendery.access", "message": {dumps(f"{method} {route} {status}")}, "service": {service}, '
        f'"method": {dumps(method)}, "route": {dumps(route)}, "status": {status}'
    )


class AccessLog:
    """The lines of one service in this process."""

    def __init__(self, service: str) -> None:
        self._service = dumps(service)
        self._waiting: list[str] = []
        self._timer: asyncio.TimerHandle | None = None
        self._second = (0, "")
        atexit.register(self.flush)

    def write(self, *, method: str, route: str, status: int, seconds: float, trace_id: str, request_id: str) -> None:
        """Note one answered request. Ids are taken as they are: they hold nothing that JSON would escape."""
        if not log.isEnabledFor(logging.INFO):
            return
        now = time.time()
        whole = int(now)
        if whole != self._second[0]:
            self._second = (whole, time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(whole)))
        self._waiting.append(
            f'{{"time": "{self._second[1]},{int((now - whole) * 1000):03d}", {_what(self._service, method, route, status)}, '
            f'"trace_id": "{trace_id}", "request_id": "{request_id}", "duration_ms": {seconds * 1000:.1f}}}'
        )
        if len(self._waiting) >= _WAITING_MAX:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_WAIT_SECONDS, self.flush)

    def flush(self) -> None:
        """Write what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            lines, self._waiting = Lines("\n".join(self._waiting)), []
            log.info(lines)
