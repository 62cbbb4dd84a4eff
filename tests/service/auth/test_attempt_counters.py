"""Counters that several requests raise and begin anew at the same moment."""

import asyncio

import asyncpg

from services.auth.commands.limit_attempts import count_attempt, password_rules
from services.auth.domain.origin import Origin
from shared.service import Service


async def test_a_counter_that_is_begun_anew_while_another_waits_for_it(service: Service, owner: asyncpg.Connection) -> None:
    """A login succeeds and forgets the wrong tries while a wrong one is being counted: it is counted, from the start."""
    context = service.context
    rules = password_rules(context.settings, "amina@example.com", Origin("203.0.113.7", "test"))

    async def fail() -> list[int]:
        async with context.unit_of_work() as work:
            return [counter.count for counter in (await count_attempt(work, rules)).values()]

    assert await fail() == [1, 1, 1]
    async with owner.transaction():
        await owner.execute("SELECT FROM auth.attempts FOR UPDATE")
        waiting = asyncio.create_task(fail())
        async with asyncio.timeout(30):
            while not await _somebody_waits(owner):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await owner.execute("DELETE FROM auth.attempts WHERE kind = 'account_from_address'")
    counts = await waiting
    assert sorted(counts) == [1, 2, 2]
    assert await owner.fetchval("SELECT count FROM auth.attempts WHERE kind = 'account_from_address'") == 1


async def _somebody_waits(owner: asyncpg.Connection) -> bool:
    """Whether another connection waits for this one. Not by pg_stat_activity, which stays the same within a transaction."""
    waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
    return bool(await owner.fetchval(waits))
