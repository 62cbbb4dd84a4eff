"""kill -9 of single services, each its own process on RabbitMQ, while many people move money: they send again what was not
answered, with the same keys, and at the end every minor unit is where it belongs."""

import asyncio
import random
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from runtime.demo.client import Person
from tests.faults.test_killed_in_the_story import Patient
from tests.journeys.test_lending_story import ADMIN, smtp_server
from tests.support.crowd import Member, busy_life, check_conserved, identify, open_loan
from tests.support.platforms import Process, RunningPlatform, process_a_service, remove_queues
from tests.support.seed import SEED

PEOPLE, ROUNDS = 4, 2
LOAN_MINOR = 3_000_00
# Whatever moves money; each dies once.
VICTIMS = ("payments", "wallet-ledger", "wallet-ledger-worker", "lending", "sandbox")


async def kill_one_after_the_other(platform: RunningPlatform, moments: random.Random) -> list[str]:
    """Kill each of the victims at a random moment and start it again at once; their names in order."""
    processes: dict[str, Process] = {process.log.stem: process for process in platform.processes}
    order = list(VICTIMS)
    moments.shuffle(order)
    for name in order:
        await asyncio.sleep(moments.uniform(0.2, 1.5))
        processes[name].kill()
        processes[name].start()
    return order


@pytest.mark.slow
@pytest.mark.rabbitmq
async def test_money_is_conserved(database_url: str, owner: asyncpg.Connection, amqp_url: str, tmp_path: Path) -> None:
    print(f"LENDERY_TEST_SEED={SEED}")
    with smtp_server() as (_, port), process_a_service(database_url, amqp_url, tmp_path, port) as platform:
        try:
            await live_through_it(platform, owner)
        finally:
            codes = platform.stop()
            await remove_queues(amqp_url, platform.environment["LENDERY_AMQP_PREFIX"])
        assert codes == [0] * len(codes)


async def busy_until_done(member: Member, crowd: list[Member], killing: "asyncio.Task[list[str]]") -> None:
    """A busy life that lasts at least as long as the killing."""
    await busy_life(member, crowd, ROUNDS)
    while not killing.done():
        await busy_life(member, crowd, 1)


async def live_through_it(platform: RunningPlatform, owner: asyncpg.Connection) -> None:
    transport: Any = Patient()
    async with httpx.AsyncClient(base_url=platform.url, timeout=60, transport=transport) as http:
        secret = platform.environment["LENDERY_SANDBOX_SECRET"]
        crowd = [Member(http, number, random.Random(SEED + number), secret) for number in range(PEOPLE)]
        admin = Person(http, *ADMIN, "Administrator")
        await asyncio.gather(admin.log_in(), *(member.join() for member in crowd))
        await identify(crowd, admin)
        await asyncio.gather(*(member.pay_in(5_000_00) for member in crowd))
        await asyncio.gather(*(member.settle(120) for member in crowd))
        loan_id = await open_loan(crowd[0], admin, LOAN_MINOR)

        killing = asyncio.create_task(kill_one_after_the_other(platform, random.Random(SEED)))
        await asyncio.gather(
            *(lender.lend(loan_id, LOAN_MINOR // (PEOPLE - 1)) for lender in crowd[1:]),
            *(busy_until_done(member, crowd, killing) for member in crowd),
        )
        assert sorted(await killing) == sorted(VICTIMS)
        await asyncio.to_thread(platform.wait_until_ready)

        await asyncio.gather(*(member.settle(180) for member in crowd))
        await check_conserved(crowd, admin, owner)
        lent = [one["amount"] for member in crowd for one in member.promises.investments.values() if one["status"] == "active"]
        assert sum(lent) == LOAN_MINOR
        assert transport.again >= 1
