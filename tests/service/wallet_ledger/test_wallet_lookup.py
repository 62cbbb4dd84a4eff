"""Wallets are looked up for many requests together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.wallet_ledger.store.wallet_lookup import WalletLookup
from shared.db.database import Database
from shared.ids import new_id
from tests.service.wallet_ledger.conftest import World


async def test_many_who_ask_at_once_share_queries_and_each_gets_their_own(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [await world.person() for _ in range(5)]
    reads = 0
    really = Database.read

    @asynccontextmanager
    async def counted(database: Database) -> AsyncIterator[Any]:
        nonlocal reads
        reads += 1
        async with really(database) as connection:
            yield connection

    monkeypatch.setattr(Database, "read", counted)
    lookup = WalletLookup(world.service.database)
    found = await asyncio.gather(*(lookup.find([person.wallet_id, new_id()]) for person in people * 10))
    assert [answer[person.wallet_id].user_id for answer, person in zip(found, people * 10, strict=True)] == [
        person.id for person in people * 10
    ]
    assert reads <= 2


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
        broken.setattr(Database, "read", lambda _: (_ for _ in ()).throw(ConnectionRefusedError()))
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
