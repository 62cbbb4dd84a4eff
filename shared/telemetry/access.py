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
_text = lru_cache(maxsize=4096)(dumps)


class Lines(str):
    """Several lines that are complete already; `shared.telemetry.logs` writes them as they are."""

    __slots__ = ()


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
            f'{{"time": "{self._second[1]},{int((now - whole) * 1000):03d}", "level": "INFO", "logger": "lendery.access", '
            f'"message": {_text(f"{method} {route} {status}")}, "service": {self._service}, "trace_id": "{trace_id}", '
            f'"request_id": "{request_id}", "method": {_text(method)}, "route": {_text(route)}, "status": {status}, '
            f'"duration_ms": {seconds * 1000:.1f}}}'
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
