"""Connections that break at the worst moments: whoever asks again gets the one outcome, and nothing happens twice."""

import asyncio
import random
from contextlib import suppress
from itertools import count

import asyncpg

from services.wallet_ledger.domain.problems import LedgerUnavailable
from services.wallet_ledger.store.poster import PosterLimits
from tests.service.wallet_ledger.conftest import MakePoster, World, move, transaction

_KILL = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'lendery-wallet_ledger-poster' AND state = 'active'
"""
# Databases that are cloned from one have the same numbers for their tables.
_BLOCKED = """
SELECT pid FROM pg_locks
WHERE NOT granted AND relation = 'wallet_ledger.transactions'::regclass
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


async def test_backends_killed_in_the_middle_of_commits(world: World, another_poster: MakePoster) -> None:
    people = [await world.person(1_000_000) for _ in range(4)]
    posters = [world.poster, await another_poster()]
    done, kills, posted = asyncio.Event(), 0, 0

    async def killer() -> None:
        nonlocal kills
        before = posted
        while not done.is_set():
            await asyncio.sleep(random.uniform(0.02, 0.2))
            if posted >= before + 10:  # a slow machine must get on between two kills
                before = posted
                kills += await world.owner.fetchval(_KILL)

    async def client(number: int) -> int:
        """Sends transactions, each again with its key until it is answered; gives what arrived at the fees account."""
        nonlocal posted
        sent = 0
        for step in count():
            if step >= 25 and kills >= 3:
                break
            amount = 1 + (number + step) % 9
            asked = transaction(
                move(people[(number + step) % 4].account, "fees:KES", amount), key=f"{number}/{step}", scope=f"client {number}"
            )
            while True:
                with suppress(LedgerUnavailable):
                    outcome = await posters[(number + step) % 2].post(asked)
                    assert outcome.posted, outcome
                    assert outcome.transaction_id == asked.id
                    assert not outcome.replayed
                    break
            sent += amount
            posted += 1
        return sent

    killing = asyncio.create_task(killer())
    sent = sum(await asyncio.gather(*(client(number) for number in range(16))))
    done.set()

    await killing
    assert posted >= 400
    assert await world.balance("fees:KES") == (sent, 0)
    assert await world.owner.fetchval("SELECT count(*) FROM wallet_ledger.transactions WHERE scope LIKE 'client %'") == posted
    assert len(await world.events("wallet_ledger.transaction.posted")) == posted + 4


async def test_a_backend_killed_while_it_writes(world: World) -> None:
    """Some of the batch's rows are there already, nothing is committed: it is done again, on another connection."""
    ann, ben = await world.person(1_000), await world.person()
    lock = await asyncpg.connect(world.service.database.dsn)
    await lock.execute("BEGIN; LOCK TABLE wallet_ledger.transactions IN SHARE MODE")  # it can be read, not written
    waiting = [asyncio.create_task(world.poster.post(transaction(move(ann.account, ben.account, 10)))) for _ in range(5)]
    async with asyncio.timeout(30):
        while not (writing := await world.owner.fetch(_BLOCKED)):  # noqa: ASYNC110 only the server knows
            await asyncio.sleep(0.01)

    killed = [await world.owner.fetchval("SELECT pg_terminate_backend($1)", row["pid"]) for row in writing]
    await lock.execute("ROLLBACK")
    await lock.close()
    outcomes = await asyncio.gather(*waiting)

    assert killed == [True]
    assert [outcome.posted for outcome in outcomes] == [True] * 5
    assert len({outcome.sequence for outcome in outcomes}) == 5
    assert await world.balance(ben.account) == (50, 0)
    assert await world.owner.fetchval("SELECT count(*) FROM wallet_ledger.transactions") == 6


async def test_a_connection_cut_after_the_commit_and_before_the_answer(world: World) -> None:
    ann, ben = await world.person(1_000), await world.person()
    asked = transaction(move(ann.account, ben.account, 100))
    cut = False
    fetchval = asyncpg.Connection.fetchval

    async def cut_after_the_commit(self: asyncpg.Connection, *arguments: object, **options: object) -> object:
        nonlocal cut
        value = await fetchval(self, *arguments, **options)
        if not cut and "post_batch" in str(arguments[0]):
            cut = True
            self.terminate()
            raise ConnectionResetError
        return value

    asyncpg.Connection.fetchval = cut_after_the_commit
    try:
        outcome = await world.poster.post(asked)
    finally:
        asyncpg.Connection.fetchval = fetchval

    assert cut
    assert (outcome.posted, outcome.transaction_id, outcome.replayed) == (True, asked.id, False)
    assert await world.balance(ben.account) == (100, 0)
    posted = await world.events("wallet_ledger.transaction.posted")
    assert [one["transaction_id"] for one in posted].count(str(asked.id)) == 1


async def test_while_the_database_is_away_callers_are_told_in_time(world: World, another_poster: MakePoster) -> None:
    ann, ben = await world.person(1_000), await world.person()
    hasty = await another_poster(PosterLimits(give_up_seconds=0.6))
    asked = transaction(move(ann.account, ben.account, 100))
    lock = await asyncpg.connect(world.service.database.dsn)
    await lock.execute("BEGIN; LOCK TABLE wallet_ledger.transactions IN ACCESS EXCLUSIVE MODE")

    # What waits behind a batch that hangs is told; the batch itself ends when the database answers.
    first = asyncio.create_task(hasty.post(transaction(move(ann.account, ben.account, 1))))
    async with asyncio.timeout(30):
        while not await lock.fetchval(_BLOCKED):  # noqa: ASYNC110 only the server knows when the batch hangs
            await asyncio.sleep(0.01)
    second = asyncio.create_task(hasty.post(transaction(move(ann.account, ben.account, 1))))
    await asyncio.sleep(0.1)
    third = await asyncio.gather(hasty.post(asked), return_exceptions=True)
    await lock.execute("ROLLBACK")
    await lock.close()

    assert isinstance(third[0], LedgerUnavailable)
    assert third[0].headers["Retry-After"]
    assert (await first).posted
    await asyncio.gather(second, return_exceptions=True)
    assert (await hasty.post(asked)).posted
    assert (await world.balance(ben.account))[0] in (101, 102)


async def test_stopping_posts_what_waits(world: World, another_poster: MakePoster) -> None:
    ann, ben = await world.person(1_000), await world.person()
    poster = await another_poster()
    waiting = [asyncio.create_task(poster.post(transaction(move(ann.account, ben.account, 1)))) for _ in range(50)]
    await asyncio.sleep(0)

    await poster.stop()

    assert all(outcome.posted for outcome in await asyncio.gather(*waiting))
    assert await world.balance(ben.account) == (50, 0)
