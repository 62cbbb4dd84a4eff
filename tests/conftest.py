"""Fixtures that every kind of test shares: real servers, and a database of its own for each test.

Servers are looked for once a run: those that already run on this machine, else the embedded PostgreSQL and a private
RabbitMQ node. With several workers (pytest -n) the controlling process finds them and the workers inherit.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import asyncpg
import pytest
from hypothesis import settings
from sqlalchemy.engine import make_url

os.environ.setdefault("LENDERY_ENV", "test")
os.environ["LENDERY_DB_ROLE_PREFIX"] = f"lt{secrets.token_hex(4)}"  # roles are the server's: each worker has its own

from tests.support import rabbitmq
from tests.support.postgres import Server, running_server

# What fails here fails everywhere and again. New examples are tried with LENDERY_TEST_RANDOM=1.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("random", deadline=None)
settings.load_profile("random" if os.environ.get("LENDERY_TEST_RANDOM") else "repeatable")

_servers = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """In the process that controls workers: find the servers before the workers start."""
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        os.environ["TEST_DATABASE_URL"] = _servers.enter_context(running_server()).url
        os.environ["TEST_AMQP_URL"] = _servers.enter_context(rabbitmq.running_broker()) or "none"


def pytest_unconfigure() -> None:
    """Stop what was started."""
    _servers.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A PostgreSQL server: the one of `TEST_DATABASE_URL`, one found on this machine, or the embedded one."""
    with running_server() as server:
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
    """The name of a migrated, empty database, from which every test's own is cloned."""
    name = f"lendery_template_{secrets.token_hex(4)}"
    asyncio.run(postgres_server.create_template(name))
    yield name
    asyncio.run(postgres_server.drop_template(name))


@pytest.fixture
async def database_url(postgres_server: Server, template_database: str) -> AsyncIterator[str]:
    """The URL of a fresh migrated database that belongs to one test."""
    name = f"lendery_test_{secrets.token_hex(6)}"
    await postgres_server.clone(template_database, name)
    yield make_url(postgres_server.url).set(database=name).render_as_string(hide_password=False)
    await postgres_server.drop(name)


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection as the owner of every table, for looking behind the services' backs."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()
