"""A closed loop: so many callers, each asking again as soon as it is answered, and how much gets done meanwhile."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

Step = Callable[[], Awaitable[int]]
"""One request of one caller, from asking to being answered; gives how many units of work it was."""


@dataclass(frozen=True)
class Timing:
    """What is done in the `warm_up_seconds` before the `seconds` does not count."""

    seconds: float
    warm_up_seconds: float = 0.5


@dataclass(frozen=True)
class Measured:
    """Units of work a second, and how long the callers waited for an answer."""

    per_second: float
    p50_milliseconds: float = 0.0
    p99_milliseconds: float = 0.0
    units: int = 0
    """How many units of work were done in all, with those that do not count."""
    processor_microseconds: Mapping[str, float] = field(default_factory=dict)
    """What one unit cost each process, where that was looked at: steadier than the rate on a machine that others use, too."""

    def as_json(self) -> dict[str, Any]:
        """For the way between processes."""
        return asdict(self)


class Tally:
    """Counts what is answered between `begin` and `end`, in seconds of `time.perf_counter`."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._done = 0.0
        self._units = 0
        self._waited: list[float] = []
        self.start()

    def start(self) -> None:
        """The time begins now."""
        self.begin = time.perf_counter() + self._timing.warm_up_seconds
        self.end = self.begin + self._timing.seconds

    def add(self, asked: float, answered: float, units: int) -> None:
        """Count one request. Of one that was under way at either end only the part within counts."""
        self._units += units
        if self.begin <= asked and answered < self.end:
            self._done += units
            self._waited.append(answered - asked)
            return
        self._done += units * max(0.0, min(answered, self.end) - max(asked, self.begin)) / (answered - asked)
        if self.begin <= answered < self.end:
            self._waited.append(answered - asked)

    def measured(self, **processor_seconds: float) -> Measured:
        """What came of it; `processor_seconds` are what all of it took of processes, by their names."""
        each = {name: seconds * 1e6 / max(self._units, 1) for name, seconds in processor_seconds.items()}
        rate = self._done / self._timing.seconds
        return Measured(rate, *_percentiles(self._waited), units=self._units, processor_microseconds=each)


async def closed_loop(steps: Sequence[Step], timing: Timing) -> Measured:
    """Let every caller take its step again and again. The first exception of a step ends it all."""
    tally = Tally(timing)

    async def call(step: Step) -> None:
        asked = time.perf_counter()
        while asked < tally.end:
            units = await step()
            answered = time.perf_counter()
            tally.add(asked, answered, units)
            asked = answered

    async with asyncio.TaskGroup() as group:
        for step in steps:
            group.create_task(call(step))
    return tally.measured()


def _percentiles(waited: list[float]) -> tuple[float, float]:
    if not waited:
        return 0.0, 0.0
    waited.sort()
    return waited[len(waited) // 2] * 1000, waited[len(waited) * 99 // 100] * 1000
