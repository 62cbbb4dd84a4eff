"""Order within a key, none across keys, and nothing left behind."""

import asyncio

from shared.messaging.turns import Turns


async def test_one_key_goes_in_the_order_of_asking_even_if_the_first_is_slow() -> None:
    turns, done = Turns(), []

    async def work(number: int) -> None:
        async with turns.take("a"):
            await asyncio.sleep(0.002 * (10 - number))
            done.append(number)

    await asyncio.gather(*(work(number) for number in range(10)))
    assert done == list(range(10))
    assert len(turns) == 0


async def test_another_key_does_not_wait() -> None:
    turns, blocked = Turns(), asyncio.Event()

    async def hold() -> None:
        async with turns.take("a"):
            await blocked.wait()

    holding = asyncio.create_task(hold())
    await asyncio.sleep(0)
    async with asyncio.timeout(1), turns.take("b"):
        assert not holding.done()
    blocked.set()
    await holding


async def test_one_who_gives_up_waiting_leaves_the_order_and_the_memory_intact() -> None:
    turns, done = Turns(), []

    async def work(number: int) -> None:
        async with turns.take("a"):
            await asyncio.sleep(0.01)
            done.append(number)

    tasks = [asyncio.create_task(work(number)) for number in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert done == [0, 2]
    assert len(turns) == 0
