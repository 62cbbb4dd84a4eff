"""The services of `tests.support.messaging` on a database of their own, and both transports."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import aio_pika
import asyncpg
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from migrations.steps import create_messaging_tables, create_sagas_table
from shared.messaging.local import LocalTransport
from shared.messaging.rabbitmq import RabbitTransport
from shared.messaging.topology import Topology
from shared.messaging.worker import MessagingWorker
from tests.support.database_pool import DatabasePool
from tests.support.messaging import SCHEMAS, Platform, Start, Transports, Until, little
from tests.support.postgres import Server, connect
from tests.support.run import database_name


def _create(connection: Connection) -> None:
    with Operations.context(MigrationContext.configure(connection)):
        for schema in SCHEMAS:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
            create_messaging_tables(schema)
            create_sagas_table(schema)
            connection.execute(
                text(
                    f"CREATE TABLE {schema}.effects "
                    "(id bigserial PRIMARY KEY, key text, number integer, type text, at timestamptz DEFAULT clock_timestamp())"
                )
            )
    connection.commit()


async def _make_template(server: Server, name: str) -> None:
    await server._run(f'CREATE DATABASE "{name}"')
    engine = create_async_engine(make_url(server.url).set(drivername="postgresql+asyncpg", database=name))
    async with engine.connect() as connection:
        await connection.run_sync(_create)
    await engine.dispose()


@pytest.fixture(scope="session")
def messaging_template(postgres_server: Server) -> Iterator[str]:
    """A database with the three services' tables, to be cloned."""
    name = database_name("messaging_template")
    asyncio.run(_make_template(postgres_server, name))
    yield name
    asyncio.run(postgres_server.drop(name))


@pytest.fixture(scope="session")
def messaging_pool(postgres_server: Server, messaging_template: str) -> Iterator[DatabasePool]:
    """Databases with the three services' tables, used again and again."""
    pool = DatabasePool(postgres_server, messaging_template, "messaging")
    yield pool
    asyncio.run(pool.close())


@pytest.fixture
async def platform(messaging_pool: DatabasePool) -> AsyncIterator[Platform]:
    """Three services on a database of their own."""
    name = await messaging_pool.take()
    url = messaging_pool.url(name)
    services = {schema: little(schema, url, make_url(url).username or "postgres") for schema in SCHEMAS}
    yield Platform(url, **services)
    for service in services.values():
        await service.database.dispose()
    messaging_pool.give_back(name)


@pytest.fixture
async def owner(platform: Platform) -> AsyncIterator[asyncpg.Connection]:
    """A bare connection to the test's database."""
    connection = await connect(platform.url)
    yield connection
    await connection.close()


@pytest.fixture
async def amqp_prefix(amqp_url: str) -> AsyncIterator[str]:
    """A prefix for names on the broker; everything under it is removed afterwards."""
    prefix = f"lendery-test-{secrets.token_hex(6)}"
    yield prefix
    topology = Topology(prefix)
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        for schema in SCHEMAS:
            await channel.queue_delete(topology.queue(schema))
            await channel.queue_delete(topology.dead_queue(schema))
        await channel.queue_delete(topology.unrouted)
        for exchange in (topology.events, topology.commands, topology.dead, topology.unrouted):
            await channel.exchange_delete(exchange)


@pytest.fixture(params=["local", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)])
def transports(request: pytest.FixtureRequest) -> Transports:
    """Every test that uses this runs on both transports."""
    if request.param == "local":
        return Transports(LocalTransport, shared=False)
    url, prefix = request.getfixturevalue("amqp_url"), request.getfixturevalue("amqp_prefix")
    return Transports(lambda: RabbitTransport(url, prefix=prefix), shared=True)


@pytest.fixture
async def running() -> AsyncIterator[Start]:
    """Starts workers, and stops them at the end of the test."""
    async with AsyncExitStack() as stack:

        async def start(worker: MessagingWorker, **options: Any) -> MessagingWorker:
            await worker.start(**options)
            stack.push_async_callback(worker.stop, drain_seconds=2)
            return worker

        yield start


@pytest.fixture
def until() -> Until:
    """Waits until something is so; fails after a while, saying what it was instead."""

    async def wait(look: Callable[[], Awaitable[Any]], wanted: Any, timeout_seconds: float = 60.0) -> None:
        deadline = asyncio.get_running_loop().time() + timeout_seconds
        while (found := await look()) != wanted:
            assert asyncio.get_running_loop().time() < deadline, f"still {found!r} instead of {wanted!r}"
            await asyncio.sleep(0.02)

    return wait
