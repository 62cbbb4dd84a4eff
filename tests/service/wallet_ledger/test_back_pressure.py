"""More requests than there is room for: those beyond it are told at once to come back, and nothing is done twice or forgotten."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from services.wallet_ledger.main import build
from tests.service.wallet_ledger.conftest import World, settings_for
from tests.service.wallet_ledger.test_http import send
from tests.support.identity import platform_for_tests

ROOM, CLIENTS = 2, 16
TURNED_AWAY = CLIENTS - 3 * ROOM - 2
"""So many at least: each of the two lanes may have taken a batch, and others wait."""
_BLOCKED = """
SELECT count(*) FROM pg_locks
WHERE NOT granted AND relation = 'wallet_ledger.transactions'::regclass
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@pytest.fixture
async def world(database_url: str, owner: asyncpg.Connection) -> AsyncIterator[World]:
    """A service with room for very few."""
    settings = settings_for(database_url).model_copy(update={"ledger_max_waiting": ROOM})
    service = build(settings, platform_for_tests())
    assert service.resources is not None
    async with service.resources():
        transport = httpx.ASGITransport(app=service.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://ledger", timeout=60) as client:
            yield World(service, client, owner)
    await service.database.dispose()


async def test_who_finds_no_room_is_told_when_to_come_back(world: World) -> None:
    ann, bo = await world.person(1_000), await world.person()
    to = {"wallet_id": str(bo.wallet_id)}
    lock = await asyncpg.connect(world.service.database.dsn)
    await lock.execute("BEGIN; LOCK TABLE wallet_ledger.transactions IN SHARE MODE")  # nothing can be written
    waiting = {number: asyncio.create_task(send(world, ann, to, 1, key=str(number))) for number in range(CLIENTS)}
    async with asyncio.timeout(30):
        while not await world.owner.fetchval(_BLOCKED) or sum(task.done() for task in waiting.values()) < TURNED_AWAY:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    turned_away = {number: await task for number, task in waiting.items() if task.done()}
    await lock.execute("ROLLBACK")
    await lock.close()
    taken = [await task for number, task in waiting.items() if number not in turned_away]

    for answer in turned_away.values():
        assert (answer.status_code, answer.json()["code"]) == (503, "ledger_busy"), answer.text
        assert int(answer.headers["Retry-After"]) >= 1
    assert [answer.status_code for answer in taken] == [201] * len(taken)
    assert len(taken) >= 1
    assert await world.balance(bo.account) == (len(taken), 0)
    for number in turned_away:
        assert (await send(world, ann, to, 1, key=str(number))).status_code == 201
    assert await world.balance(bo.account) == (CLIENTS, 0)
    assert (await world.verify()).sound
