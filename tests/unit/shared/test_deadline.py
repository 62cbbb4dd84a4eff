"""A time that is set anew again and again."""

import asyncio

from shared.deadline import Deadline


async def _comes(called: asyncio.Event) -> None:
    await asyncio.wait_for(called.wait(), 30)
    called.clear()


async def _does_not_come(called: asyncio.Event) -> None:
    await asyncio.sleep(0.03)
    assert not called.is_set()


async def test_what_is_set_last_counts() -> None:
    called = asyncio.Event()
    deadline = Deadline(called.set)
    deadline.set(60)
    deadline.set(0.001)
    await _comes(called)  # earlier than before
    deadline.set(0.001)
    deadline.set(60)
    await _does_not_come(called)  # later than before
    deadline.set(0.001)
    await _comes(called)
    deadline.close()


async def test_what_is_cleared_or_closed_is_not_called() -> None:
    called = asyncio.Event()
    for end in (Deadline.clear, Deadline.close):
        deadline = Deadline(called.set)
        deadline.set(0.001)
        end(deadline)
        await _does_not_come(called)
        deadline.set(0.001)
        await _comes(called)


async def test_it_is_called_once() -> None:
    calls: list[None] = []
    deadline = Deadline(lambda: calls.append(None))
    deadline.set(0.001)
    await asyncio.sleep(0.05)
    assert len(calls) == 1
