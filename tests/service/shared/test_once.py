"""Idempotent requests against a real database: one effect, one answer, whoever races."""

import asyncio
import os
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from shared.clock import SystemClock
from shared.db import Database, UnitOfWork
from shared.db.database import role_of
from shared.idempotency import Answer, IdempotentRequest, KeyInUse, KeyReused, once
from shared.idempotency.store import forget_old_keys
from shared.problems import Forbidden, Problem

REQUEST = IdempotentRequest(owner="somebody", key="key-1", fingerprint=b"1" * 32)


class TooLittle(Problem):
    """For tests."""

    status = 409
    code = "too_little"
    title = "Too little"


class Counter:
    """A use case that leaves a mark in the database each time it takes effect."""

    def __init__(self, database_url: str) -> None:
        prefix = os.environ["LENDERY_DB_ROLE_PREFIX"]
        self.database = Database(database_url, schema="lending", role=role_of("lending", prefix))
        self.problem: Problem | None = None
        self.started = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    def unit_of_work(self) -> UnitOfWork:
        return UnitOfWork(self.database, SystemClock())

    async def use_case(self, work: UnitOfWork) -> Answer:
        await work.connection.execute(text("INSERT INTO inbox (consumer, message_id) VALUES ('mark', gen_random_uuid())"))
        self.started.set()
        await self.go_on.wait()
        if self.problem:
            raise self.problem
        return Answer(201, {"made": True})

    async def run(self, request: IdempotentRequest = REQUEST) -> Answer:
        return await once(self.unit_of_work, request, self.use_case)


@pytest.fixture
async def counter(database_url: str) -> Any:
    counter = Counter(database_url)
    yield counter
    await counter.database.dispose()


async def marks(owner: asyncpg.Connection) -> int:
    return int(await owner.fetchval("SELECT count(*) FROM lending.inbox"))


async def test_the_second_request_gets_the_first_answer(counter: Counter, owner: asyncpg.Connection) -> None:
    first, second = await counter.run(), await counter.run()
    assert (first.status, first.body, first.replayed) == (201, {"made": True}, False)
    assert second == replace(first, replayed=True)
    assert await marks(owner) == 1


async def test_another_body_under_the_same_key_is_refused(counter: Counter, owner: asyncpg.Connection) -> None:
    await counter.run()
    with pytest.raises(KeyReused):
        await counter.run(replace(REQUEST, fingerprint=b"2" * 32))
    assert await marks(owner) == 1


async def test_keys_of_different_people_never_meet(counter: Counter, owner: asyncpg.Connection) -> None:
    await counter.run()
    other = await counter.run(replace(REQUEST, owner="another"))
    assert not other.replayed
    assert await marks(owner) == 2


async def test_while_the_first_runs_the_second_is_told(counter: Counter, owner: asyncpg.Connection) -> None:
    counter.go_on.clear()
    first = asyncio.create_task(counter.run())
    await counter.started.wait()
    with pytest.raises(KeyInUse):
        await counter.run()
    counter.go_on.set()
    assert (await first).status == 201
    assert await marks(owner) == 1


async def test_twenty_at_once_have_one_effect(counter: Counter, owner: asyncpg.Connection) -> None:
    async def patiently() -> Answer:
        while True:
            try:
                return await counter.run()
            except KeyInUse:
                await asyncio.sleep(0.01)

    answers = await asyncio.gather(*(patiently() for _ in range(6)))
    assert sorted(answer.replayed for answer in answers) == [False] + [True] * 5
    assert await marks(owner) == 1


async def test_a_refusal_is_kept_and_nothing_of_its_work(counter: Counter, owner: asyncpg.Connection) -> None:
    counter.problem = TooLittle("Put in more.")
    first = await counter.run()
    counter.problem = None
    second = await counter.run()
    assert (first.status, second.status, second.replayed) == (409, 409, True)
    assert second.body["code"] == "too_little"
    assert second.body == first.body
    assert await marks(owner) == 0


async def test_what_depends_on_the_moment_is_not_kept(counter: Counter, owner: asyncpg.Connection) -> None:
    counter.problem = Forbidden("Not yet.")
    with pytest.raises(Forbidden):
        await counter.run()
    counter.problem = None
    assert (await counter.run()).status == 201
    assert await marks(owner) == 1


async def test_old_keys_are_forgotten(counter: Counter, owner: asyncpg.Connection) -> None:
    await counter.run()
    async with counter.unit_of_work() as work:
        assert await forget_old_keys(work.connection) == 0
    await owner.execute("UPDATE lending.idempotency_keys SET created_at = now() - interval '36 days'")
    async with counter.unit_of_work() as work:
        assert await forget_old_keys(work.connection) == 1


async def test_a_service_reaches_only_its_own_schema(counter: Counter) -> None:
    async with counter.database.read() as connection:
        with pytest.raises(Exception, match="permission denied"):
            await connection.execute(text("SELECT * FROM auth.outbox"))
