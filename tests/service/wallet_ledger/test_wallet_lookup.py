"""Wallets are looked up for many requests together."""

import asyncio
from typing import Any

import asyncpg
import pytest

from services.wallet_ledger.store.wallet_lookup import WalletLookup
from shared.db.database import Database
from shared.ids import new_id
from tests.service.wallet_ledger.conftest import World


def _count_reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    reads: list[str] = []
    really = Database.fetch

    async def counted(database: Database, statement: str, *arguments: Any) -> Any:
        reads.append(statement)
        return await really(database, statement, *arguments)

    monkeypatch.setattr(Database, "fetch", counted)
    return reads


async def test_many_who_ask_at_once_share_queries_and_each_gets_their_own(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [await world.person() for _ in range(5)]
    reads = _count_reads(monkeypatch)
    lookup = WalletLookup(world.service.database)
    found = await asyncio.gather(*(lookup.find([person.wallet_id, new_id()]) for person in people * 10))
    assert [answer[person.wallet_id].user_id for answer, person in zip(found, people * 10, strict=True)] == [
        person.id for person in people * 10
    ]
    assert len(reads) <= 2


async def test_what_never_changes_is_read_once_and_not_kept_without_bound(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [await world.person() for _ in range(3)]
    reads = _count_reads(monkeypatch)
    lookup = WalletLookup(world.service.database, remembered_max=2)
    for person in (people[0], people[1], people[0], people[1]):
        assert (await lookup.find([person.wallet_id]))[person.wallet_id].user_id == person.id
    assert len(reads) == 2
    both = await lookup.find([people[1].wallet_id, people[2].wallet_id])
    assert {person.id for person in people[1:]} <= {wallet.user_id for wallet in both.values()}
    assert len(reads) == 3
    assert people[0].wallet_id in await lookup.find([people[0].wallet_id])
    assert len(reads) == 4


async def test_a_connection_that_is_cut_is_no_trouble(world: World, owner: asyncpg.Connection) -> None:
    database, person = world.service.database, await world.person()
    (backend,) = await database.fetch("SELECT pg_backend_pid()")
    assert await owner.fetchval("SELECT pg_terminate_backend($1, 1000)", backend[0])
    for _ in range(2):
        assert person.wallet_id in await WalletLookup(database).find([person.wallet_id])
    (again,) = await database.fetch("SELECT pg_backend_pid()")
    assert again[0] != backend[0]


async def test_a_wallet_that_is_not_there_is_not_found_until_it_is(world: World) -> None:
    lookup = WalletLookup(world.service.database)
    nobody = new_id()
    assert nobody not in await lookup.find([nobody])
    person = await world.person()
    assert (await lookup.find([person.wallet_id]))[person.wallet_id].user_id == person.id


async def test_trouble_reaches_everybody_who_asked_and_nobody_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    lookup = WalletLookup(world.service.database)
    person = await world.person()
    with monkeypatch.context() as broken:
        broken.setattr(Database, "fetch", lambda *_: (_ for _ in ()).throw(ConnectionRefusedError()))
        answers = await asyncio.gather(*(lookup.find([person.wallet_id]) for _ in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ConnectionRefusedError] * 3
    assert person.wallet_id in await lookup.find([person.wallet_id])


async def test_one_who_leaves_takes_nothing_from_the_others(world: World) -> None:
    lookup = WalletLookup(world.service.database)
    person = await world.person()
    leaver = asyncio.create_task(lookup.find([person.wallet_id]))
    stayer = asyncio.create_task(lookup.find([person.wallet_id]))
    await asyncio.sleep(0)
    leaver.cancel()
    assert person.wallet_id in await stayer
    assert leaver.cancelled() or await asyncio.wait([leaver])
