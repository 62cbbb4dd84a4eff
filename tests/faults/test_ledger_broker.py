"""RabbitMQ or its connections break while commands for the ledger are under way: each is posted once, and answered."""

import asyncio
import random
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg
import pytest
from yarl import URL

from services.wallet_ledger.main import build
from services.wallet_ledger.queries.verification import verify_ledger
from services.wallet_ledger.settings import Settings
from shared.contracts.wallet_ledger.transaction_commands import PostTransaction, Transfer
from shared.ids import new_id
from shared.messaging.rabbitmq import RabbitTransport
from shared.messaging.worker import MessagingWorker
from shared.service import Service
from tests.support.cuttable import Proxy, proxy_to
from tests.support.identity import platform_for_tests
from tests.support.platforms import remove_queues
from tests.support.rabbitmq import Node, private_node

COMMANDS, PATIENCE_SECONDS = 200, 240
_WAITING = """
SELECT (SELECT count(*) FROM wallet_ledger.outbox WHERE published_at IS NULL) + (
    SELECT count(*) FROM wallet_ledger.transactions
    WHERE sequence > (SELECT sequence FROM wallet_ledger.journal_readers WHERE name = 'outcomes')
)
"""
_RECORDED = "SELECT count(*) FROM wallet_ledger.transactions"


def command(number: int) -> PostTransaction:
    """Money from outside; one in three asks for money that is not there, and is to be rejected."""
    ends = ("reserve:KES", "fees:KES") if number % 3 == 0 else ("provider:test:KES", "fees:KES")
    entry = Transfer(id=new_id(), debit_account=ends[0], credit_account=ends[1], amount_minor=1, currency="KES")
    return PostTransaction(transaction_id=new_id(), idempotency_key=f"command {number}", kind="test", entries=[entry])


async def cut_now_and_then(proxy: Proxy, done: asyncio.Event) -> int:
    """Cut all connections to the broker again and again, and for a moment it is away altogether: how often some were there."""
    cuts = 0
    while not done.is_set():
        await asyncio.sleep(random.uniform(0.1, 0.3))
        proxy.refusing = cuts == 1
        cuts += proxy.cut() > 0
        if cuts == 6:
            break
    proxy.refusing = False
    return cuts


async def restart_in_mid_work(node: Node, database_url: str) -> None:
    """The whole broker dies when a part of the commands is posted, comes back, and is then stopped in order."""
    connection = await asyncpg.connect(database_url)
    for part, end in ((COMMANDS // 10, node.kill), (COMMANDS // 2, node.stop)):
        while await connection.fetchval(_RECORDED) < part:  # noqa: ASYNC110 the rows say it
            await asyncio.sleep(0.01)
        await asyncio.to_thread(end)
        await asyncio.to_thread(node.start)
    await connection.close()


@asynccontextmanager
async def ledger_on(url: URL, broker_url: str, database_url: str) -> AsyncIterator[Service]:
    """The ledger with its consumers on the broker at `url`; its queues are removed afterwards at `broker_url`."""
    service = build(Settings(env="test", database_url=database_url, home_currency="KES"), platform_for_tests())
    prefix = f"test-{secrets.token_hex(4)}-"
    assert service.resources is not None
    async with AsyncExitStack() as exits:
        exits.push_async_callback(remove_queues, broker_url, prefix)
        exits.push_async_callback(service.database.dispose)
        await exits.enter_async_context(service.resources())
        worker = MessagingWorker(RabbitTransport(str(url), prefix=prefix, timeout_seconds=2), [service])
        await worker.start()
        exits.push_async_callback(worker.stop)
        yield service


async def send_commands(service: Service, owner: asyncpg.Connection, pause_seconds: float) -> None:
    """All the commands, one by one; returns when each is recorded and answered."""
    for number in range(COMMANDS):
        asked = command(number)
        async with service.context.unit_of_work() as work:
            work.outbox.send(asked, aggregate_id=asked.transaction_id)
        await asyncio.sleep(pause_seconds)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await owner.fetchval(_RECORDED) < COMMANDS or await owner.fetchval(_WAITING):  # noqa: ASYNC110 the rows say it
            await asyncio.sleep(0.05)


async def check(service: Service, owner: asyncpg.Connection) -> None:
    """Each command has its one outcome, and nothing else was booked."""
    report = await verify_ledger(service.database)
    assert report.sound, report.faults
    rows = await owner.fetch("SELECT idempotency_key, status FROM wallet_ledger.transactions")
    expected = {f"command {number}": "posted" if number % 3 else "rejected" for number in range(COMMANDS)}
    assert {row["idempotency_key"]: row["status"] for row in rows} == expected
    assert len(rows) == COMMANDS
    assert await owner.fetchval("SELECT count(*) FROM wallet_ledger.dead_letters") == 0


@pytest.mark.rabbitmq
async def test_connections_to_the_broker_are_cut(database_url: str, owner: asyncpg.Connection, amqp_url: str) -> None:
    url = URL(amqp_url)
    async with proxy_to(url.host or "127.0.0.1", url.port or 5672) as proxy:
        through = url.with_host("127.0.0.1").with_port(proxy.port)
        async with ledger_on(through, amqp_url, database_url) as service:
            done = asyncio.Event()
            cutting = asyncio.create_task(cut_now_and_then(proxy, done))
            await send_commands(service, owner, pause_seconds=0.002)
            done.set()
            assert await cutting >= 2
            await check(service, owner)


@pytest.mark.long
@pytest.mark.rabbitmq
@pytest.mark.skipif(shutil.which("rabbitmq-server") is None, reason="needs a rabbitmq-server to restart")
async def test_the_broker_is_killed_and_restarted(database_url: str, owner: asyncpg.Connection) -> None:
    with private_node() as node:
        async with ledger_on(URL(node.url), node.url, database_url) as service:
            restarting = asyncio.create_task(restart_in_mid_work(node, database_url))
            await send_commands(service, owner, pause_seconds=0.02)
            await restarting
            async with asyncio.timeout(PATIENCE_SECONDS):  # answers that were under way when it stopped
                while await owner.fetchval(_WAITING):  # noqa: ASYNC110 the rows say it
                    await asyncio.sleep(0.05)
            await check(service, owner)
