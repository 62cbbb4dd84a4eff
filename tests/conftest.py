"""Fixtures that every kind of test shares: real servers, and a database of its own for each test.

Servers are looked for once a run: those that already run on this machine, else the embedded PostgreSQL and a private
RabbitMQ node. With several workers (pytest -n) the controlling process finds them and the workers inherit.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager

import asyncpg
import pytest
from hypothesis import settings

os.environ.setdefault("LENDERY_ENV", "test")
from tests.support.run import ROLE_PREFIX, database_name

os.environ["LENDERY_DB_ROLE_PREFIX"] = ROLE_PREFIX

from tests.support import rabbitmq
from tests.support.database_pool import DatabasePool
from tests.support.postgres import Server, connect, running_server

# Compiled once, not by each worker and by each process that a test starts, also where the environment says not to keep it:
# half of what collecting takes. The files are in __pycache__, which git ignores.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# What fails here fails everywhere and again. New examples are tried with LENDERY_TEST_RANDOM=1.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("random", deadline=None)
settings.load_profile("random" if os.environ.get("LENDERY_TEST_RANDOM") else "repeatable")

_servers = ExitStack()


@contextmanager
def _without_left_overs(server: Server) -> Iterator[None]:
    """Before and after: remove what processes that were killed left on the server."""
    asyncio.run(server.remove_left_overs())
    yield
    asyncio.run(server.remove_left_overs())


def pytest_configure(config: pytest.Config) -> None:
    """In the process that controls workers: find the servers before the workers start."""
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        server = _servers.enter_context(running_server())
        os.environ["TEST_DATABASE_URL"] = server.url
        _servers.enter_context(_without_left_overs(server))
        os.environ["TEST_AMQP_URL"] = _servers.enter_context(rabbitmq.running_broker()) or "none"


def pytest_unconfigure() -> None:
    """Stop what was started."""
    _servers.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A PostgreSQL server: the one of `TEST_DATABASE_URL`, one found on this machine, or the embedded one."""
    with running_server() as server:
        if "PYTEST_XDIST_WORKER" in os.environ:
            yield server
            return
        with _without_left_overs(server):
            yield server


@pytest.fixture(scope="session")
def amqp_url() -> Iterator[str]:
    """A RabbitMQ broker's URL. Where none can be had the test is skipped loudly, and in CI it fails."""
    with rabbitmq.running_broker() as url:
        if url is None or url == "none":
            if os.environ.get("CI"):
                pytest.fail(rabbitmq.SKIPPED)
            pytest.skip(rabbitmq.SKIPPED)
        yield url


@pytest.fixture(scope="session")
def template_database(postgres_server: Server) -> Iterator[str]:
    """The name of a migrated, empty database, from which others are cloned."""
    name = database_name("template")
    asyncio.run(postgres_server.create_template(name))
    yield name
    asyncio.run(postgres_server.drop_template(name))


@pytest.fixture(scope="session")
def database_pool(postgres_server: Server, template_database: str) -> Iterator[DatabasePool]:
    """Migrated databases for this process's tests, used again and again."""
    pool = DatabasePool(postgres_server, template_database, "test")
    yield pool
    asyncio.run(pool.close())


@pytest.fixture
async def database_url(database_pool: DatabasePool) -> AsyncIterator[str]:
    """The URL of a migrated database without rows that belongs to one test."""
    name = await database_pool.take()
    yield database_pool.url(name)
    database_pool.give_back(name)


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection as the owner of every table, for looking behind the services' backs."""
    connection = await connect(database_url)
    yield connection
    await connection.close()
