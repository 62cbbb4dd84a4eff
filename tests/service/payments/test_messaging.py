"""Payments on the real local transport: consumers, relay and courier run by themselves, the ledger is played."""

import asyncio
import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import FastAPI

from services.payments.providers.sandbox.server.courier import running_courier
from shared.contracts.wallet_ledger.transaction_commands import PostTransaction
from shared.db import Database, UnitOfWork
from shared.db.database import role_of
from shared.messaging.consumer import Delivery
from shared.messaging.local import LocalTransport
from shared.messaging.worker import MessagingWorker
from shared.service import Service
from tests.service.payments.conftest import Person, World


@dataclass(frozen=True)
class LedgerContext:
    """What the played ledger works with."""

    world: World
    database: Database


def ledger_service(world: World, url: str) -> Service:
    """The played ledger as a service, in the ledger's own schema."""
    database = Database(url, schema="wallet_ledger", role=role_of("wallet_ledger", os.environ["LENDERY_DB_ROLE_PREFIX"]))
    context = LedgerContext(world, database)
    return Service("wallet_ledger", FastAPI(), database, context, consumers={PostTransaction: answer})


async def answer(context: LedgerContext, delivery: Delivery[PostTransaction]) -> None:
    async with UnitOfWork(context.database, context.world.clock, delivery=delivery) as work:
        outcome: Any = context.world.ledger.handle(delivery.message)
        work.outbox.publish(outcome, aggregate_id=delivery.message.transaction_id)


async def ended(world: World, person: Person, path: str) -> str:
    for _ in range(3000):
        status: str = (await world.get(person, path))["status"]
        if status not in ("pending", "processing"):
            return status
        await asyncio.sleep(0.02)
    raise AssertionError(f"{path} does not end")


async def test_the_whole_way_without_a_hand(world: World, database_url: str):
    person = await world.person()
    ledger = ledger_service(world, database_url)
    worker = MessagingWorker(LocalTransport(), [world.payments, ledger])
    await worker.start()
    try:
        async with running_courier(world.sandbox.context):
            deposit = (await world.deposit(person)).json()
            await world.press(deposit["checkout_url"], "approve")
            assert await ended(world, person, f"/v1/deposits/{deposit['id']}") == "succeeded"
            accounts = ("254700000001", "fail-1", "slow-1")
            answers = [await world.withdraw(person, amount=1_000, destination={"account": account}) for account in accounts]
            too_much = await world.withdraw(person, amount=99_000, headers={"Prefer": "wait=10"})
            assert too_much.json()["failure"]["code"] == "insufficient_funds"
            paths = [f"/v1/withdrawals/{one.json()['id']}" for one in answers]
            assert [await ended(world, person, path) for path in paths[:2]] == ["completed", "failed"]
            world.clock.advance(timedelta(seconds=5))
            assert await ended(world, person, paths[2]) == "completed"
    finally:
        await worker.stop()
        await ledger.database.dispose()
    assert world.ledger.balances == {person.account: 10_500, "provider:sandbox:KES": -10_500}
    assert world.ledger.holds == {}
    assert await world.owner.fetchval("SELECT count(*) FROM payments.dead_letters") == 0
    assert await world.outbox() == []
