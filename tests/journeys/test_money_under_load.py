"""Many people at once, impatient ones: whatever they do, money is neither made nor lost, and nothing happens twice."""

import asyncio
import random
from pathlib import Path

import asyncpg
import httpx

from runtime.demo.client import Person
from tests.journeys.test_lending_story import ADMIN
from tests.support.crowd import Member, busy_life, check_conserved, identify, open_loan, refusals_of
from tests.support.platforms import one_process
from tests.support.seed import SEED

PEOPLE, ROUNDS = 8, 2
LOAN_MINOR, LAST_MINOR = 10_000_00, 1_234_56
SECRET = "a-secret-between-the-sandbox-and-us"


async def race_for_the_last(lenders: list[Member], loan_id: str) -> None:
    """Everybody wants the last part of a loan at the same moment."""
    await lenders[0].lend(loan_id, LOAN_MINOR - LAST_MINOR)
    await asyncio.gather(*(lender.lend(loan_id, LAST_MINOR) for lender in lenders))


async def test_money_is_conserved(database_url: str, owner: asyncpg.Connection, tmp_path: Path) -> None:
    print(f"LENDERY_TEST_SEED={SEED}")
    more = {"LENDERY_AUTO_VERIFY": "1", "LENDERY_SANDBOX_SECRET": SECRET}
    limits = httpx.Limits(max_connections=40)
    with one_process(database_url, tmp_path, **more) as platform:
        async with httpx.AsyncClient(base_url=platform.url, timeout=60, trust_env=False, limits=limits) as http:
            crowd = [Member(http, number, random.Random(SEED + number), SECRET) for number in range(PEOPLE)]
            admin = Person(http, *ADMIN, "Administrator")
            await asyncio.gather(admin.log_in(), *(member.join() for member in crowd))
            await identify(crowd, admin)
            await asyncio.gather(*(member.pay_in(20_000_00) for member in crowd))
            await asyncio.gather(*(member.settle(120) for member in crowd))
            loan_id = await open_loan(crowd[0], admin, LOAN_MINOR)

            await asyncio.gather(race_for_the_last(crowd[1:], loan_id), *(busy_life(member, crowd, ROUNDS) for member in crowd))

            await asyncio.gather(*(member.settle(120) for member in crowd))
            await check_conserved(crowd, admin, owner)
            lent = [one for member in crowd for one in member.promises.investments.values() if one["status"] == "active"]
            assert sorted(one["amount"] for one in lent) == [LAST_MINOR, LOAN_MINOR - LAST_MINOR]
            ends = {one["status"] for member in crowd for one in member.promises.withdrawals.values()}
            assert {"completed", "failed"} <= ends
            assert (
                len([end for m in crowd for end in m.promises.deposits.values() if end["status"] == "failed"]) == PEOPLE * ROUNDS
            )
            assert {"funding_closed", "insufficient_funds"} <= refusals_of(crowd).keys()
        assert platform.stop() == [0]
