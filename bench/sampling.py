"""A sampling profile of this process: at every millisecond of processor time, which function was running.

What the driver and the event loop do in C has no frame of its own. It is counted for the Python function that called it, or,
when the event loop itself did, as `event loop and driver`.
"""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

_EVERY_SECONDS = 0.001
_ROOT = str(Path(__file__).parents[1])
_LIBRARIES = f"{os.sep}site-packages{os.sep}"
_OUTERMOST = ("bench/sampled_deployment.py", "runtime/signals.py")
"""Below these in the stack is only the event loop."""
_BETWEEN_CALLS = "event loop and driver"
_AREAS = (
    ("bench/", "callers (the benchmark's)"),
    ("services/wallet_ledger/domain/", "deciding (domain)"),
    ("services/wallet_ledger/store/book_reader", "reading accounts and keys"),
    ("services/wallet_ledger/store/announcements", "events for the outbox"),
    ("services/wallet_ledger/store/batch_writer", "arrays and the writing statement"),
    ("services/wallet_ledger/store/", "queue, lanes, answers"),
    ("services/wallet_ledger/", "the service's HTTP and use cases"),
    ("shared/", "shared code"),
)


@dataclass
class Profile:
    """Samples by area and by function, and the processor seconds they stand for."""

    areas: Counter[str] = field(default_factory=Counter)
    functions: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    processor_seconds: float = 0.0
    _started: float = field(default_factory=time.perf_counter)
    _used: float = field(default_factory=time.process_time)

    def take(self, frame: FrameType | None) -> None:
        """Count one sample for the innermost function of this repository or of a library, with what it called of Python's own."""
        called = ""
        while frame is not None:
            code = frame.f_code
            path = code.co_filename
            if _LIBRARIES in path:
                path = path.split(_LIBRARIES, 1)[1].lstrip(os.sep)
                self._count(f"{path.split(os.sep)[0]} (library)", f"{path}:{code.co_qualname}{called}")
                return
            if path.startswith(_ROOT):
                path = path.removeprefix(_ROOT + os.sep)
                if path in _OUTERMOST:
                    break
                self._count(_area(path), f"{path}:{code.co_qualname}{called}")
                return
            called = called or f" > {code.co_name}"
            frame = frame.f_back
        self._count(_BETWEEN_CALLS, _BETWEEN_CALLS)

    def clear(self) -> None:
        """Forget what has been sampled."""
        self.areas.clear()
        self.functions.clear()
        self._started, self._used = time.perf_counter(), time.process_time()

    def end(self) -> None:
        """Count no further."""
        self.seconds, self.processor_seconds = time.perf_counter() - self._started, time.process_time() - self._used

    def _count(self, area: str, function: str) -> None:
        self.areas[area] += 1
        self.functions[function] += 1

    def as_json(self) -> dict[str, Any]:
        """For the way between processes: shares of the processor's time, largest first."""
        total = self.areas.total() or 1
        return {
            "areas": {name: count / total for name, count in self.areas.most_common()},
            "functions": {name: count / total for name, count in self.functions.most_common(25)},
            "busy": self.processor_seconds / self.seconds if self.seconds else 0.0,
        }


def _area(path: str) -> str:
    return next((name for prefix, name in _AREAS if path.startswith(prefix)), path)


@contextmanager
def sampled(*, enabled: bool = True) -> Iterator[Profile]:
    """Sample this process's main thread, from which this must be called, for the time of the block."""
    profile = Profile()
    if not enabled:
        yield profile
        return
    before = signal.signal(signal.SIGPROF, lambda _, frame: profile.take(frame))
    signal.setitimer(signal.ITIMER_PROF, _EVERY_SECONDS, _EVERY_SECONDS)
    try:
        yield profile
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
        profile.end()
