"""The migrations: from nothing, again, and in agreement with what the code declares."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from alembic import command
from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from migrations.roles import role_of
from migrations.runner import alembic_config, migrate
from migrations.schemas import SCHEMAS
from tests.support.postgres import Server
from tests.support.run import database_name


@pytest.fixture
async def empty_database(postgres_server: Server, template_database: str) -> AsyncIterator[str]:
    """A database with nothing in it. (The template keeps this run's roles alive until the end.)"""
    name = database_name("empty")
    await postgres_server.clone("template0", name)
    yield make_url(postgres_server.url).set(database=name).render_as_string(hide_password=False)
    await postgres_server.drop(name)


async def test_from_nothing_and_again(empty_database: str) -> None:
    said: list[str] = []
    applied = await migrate(empty_database, progress=said.append)
    assert {revision.rsplit("_", 1)[0] for revision in applied} == set(SCHEMAS)
    assert said
    assert await migrate(empty_database) == []


async def test_two_at_once_do_it_once(empty_database: str) -> None:
    first, second = await asyncio.gather(migrate(empty_database), migrate(empty_database))
    assert min(len(first), len(second)) == 0
    assert len(first) + len(second) >= len(SCHEMAS)


async def test_the_code_declares_what_the_migrations_made(database_url: str) -> None:
    def check(connection: Connection) -> None:
        command.check(alembic_config(connection))

    engine = create_async_engine(make_url(database_url).set(drivername="postgresql+asyncpg"))
    async with engine.connect() as connection:
        await connection.run_sync(check)
    await engine.dispose()


@pytest.mark.parametrize("schema", SCHEMAS)
async def test_a_role_owns_nothing_and_reaches_only_its_schema(owner: asyncpg.Connection, schema: str) -> None:
    role = role_of(schema)
    owned = await owner.fetchval("SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = $1", role)
    assert owned == 0
    reached = await owner.fetch(
        "SELECT DISTINCT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind = 'r' AND n.nspname = ANY($2) AND has_schema_privilege($1, n.oid, 'USAGE')",
        role,
        list(SCHEMAS),
    )
    assert [row["nspname"] for row in reached] == [schema]
    assert not await owner.fetchval("SELECT has_schema_privilege($1, $2, 'CREATE')", role, schema)
    assert not await owner.fetchval("SELECT has_schema_privilege($1, 'public', 'CREATE')", role)
    assert not await owner.fetchval("SELECT rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = $1", role)
