"""kill -9 at any moment, on both transports: nothing lost, nothing twice, order kept."""

import asyncio
import random
import signal
import sys
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from tests.support.messaging import Platform, Until

KILLS = 3


@pytest.fixture(params=["local", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)])
def broker(request: pytest.FixtureRequest) -> list[str]:
    """The arguments that name a broker, if there is to be one."""
    if request.param == "local":
        return []
    return [request.getfixturevalue("amqp_url"), request.getfixturevalue("amqp_prefix")]


async def test_a_killed_process_loses_nothing_and_repeats_nothing(platform: Platform, until: Until, broker: list[str]) -> None:
    arguments = [platform.url, make_url(platform.url).username or "", *broker]
    keys = [f"k{number}" for number in range(8)]
    for key in keys:
        await platform.sender.say(key, *range(25))

    async def done() -> int:
        return len(await platform.receiver.effects()) + len(await platform.bystander.effects())

    total, killed_at = 2 * 8 * 25, list[int]()  # what is there to do while it is killed; more follows
    for kill in range(KILLS):
        process = await _start(arguments)
        # At a random point of the next part of the work.
        target = int(total * (kill + random.random()) / KILLS * 0.8)

        async def reached(target: int = target) -> bool:
            return await done() >= target

        await until(reached, True, timeout_seconds=120)
        await _kill(process)
        killed_at.append(await done())
    assert killed_at[0] < total, "no kill came early enough to mean anything"
    for key in keys:
        await platform.sender.say(key, *range(25, 30))
    process = await _start(arguments)
    try:
        await until(done, 2 * 8 * 30, timeout_seconds=120)
        await until(platform.sender.unpublished, 0)
    finally:
        await _kill(process)
    for service in (platform.receiver, platform.bystander):
        effects = await service.effects()
        for key in keys:
            assert [number for one, number in effects if one == key] == list(range(30))
        assert await service.dead_letters.count() == 0


async def _start(arguments: list[str]) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.messaging_process", *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(90):
        assert await process.stdout.readline() == b"ready\n"
    return process


async def _kill(process: Any) -> None:
    process.send_signal(signal.SIGKILL)
    await process.wait()
