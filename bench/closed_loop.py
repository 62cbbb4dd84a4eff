"""A closed loop: so many callers, each asking again as soon as it is answered, and how much gets done meanwhile."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
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

    def as_json(self) -> dict[str, Any]:
        """For the way between processes."""
        return asdict(self)


async def closed_loop(steps: Sequence[Step], timing: Timing) -> Measured:
    """Let every caller take its step again and again. The first exception of a step ends it all."""
    begin = time.perf_counter() + timing.warm_up_seconds
    end = begin + timing.seconds
    done = 0.0
    waited: list[float] = []

    async def call(step: Step) -> None:
        nonlocal done
        asked = time.perf_counter()
        while asked < end:
            units = await step()
            answered = time.perf_counter()
            # Of a request that was under way at either end only the part within counts.
            done += units * max(0.0, min(answered, end) - max(asked, begin)) / (answered - asked)
            if begin <= answered < end:
                waited.append(answered - asked)
            asked = answered

    async with asyncio.TaskGroup() as group:
        for step in steps:
            group.create_task(call(step))
    return Measured(done / timing.seconds, *_percentiles(waited))


def _percentiles(waited: list[float]) -> tuple[float, float]:
    if not waited:
        return 0.0, 0.0
    waited.sort()
    return waited[len(waited) // 2] * 1000, waited[len(waited) * 99 // 100] * 1000
