"""How a person, a supervisor or a closed terminal stops us: in order the first time, at once the second time."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """A signal asked us to stop, and everything has been stopped."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGTERM and SIGHUP unwind the block as Ctrl-C does, and end it with `Stopped`."""
    before = {number: signal.signal(number, _interrupt) for number in _STOPPING}
    try:
        yield
    except KeyboardInterrupt:
        raise Stopped from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_until_stopped(main: Coroutine[Any, Any, None], *, stopping: Callable[[], None] = lambda: None) -> None:
    """Run `main` on uvloop. A signal cancels it (`stopping` is called then), and `Stopped` is raised when it has ended."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_cancelled_by_signal(main, stopping))


async def _cancelled_by_signal(main: Coroutine[Any, Any, None], stopping: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    task = loop.create_task(main)
    stopped = False

    def stop() -> None:
        nonlocal stopped
        stopped = True
        for number in _STOPPING:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        stopping()
        task.cancel()

    for number in _STOPPING:
        loop.add_signal_handler(number, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not stopped:
            raise
    if stopped:
        raise Stopped


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
