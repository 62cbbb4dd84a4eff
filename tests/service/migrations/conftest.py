"""A database as an earlier release left it, for the tests of a migration."""

from collections.abc import AsyncIterator

import pytest
from alembic import command
from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from migrations.roles import create_schemas_and_roles
from migrations.runner import alembic_config
from tests.support.postgres import Server
from tests.support.run import database_name


@pytest.fixture
async def old_database(request: pytest.FixtureRequest, postgres_server: Server, template_database: str) -> AsyncIterator[str]:
    """A database at the revisions that the test module names as `LEFT_AT`, and nothing else in it.

    The template keeps this run's roles alive until the end.
    """
    name = database_name("before")
    await postgres_server.clone("template0", name)
    url = make_url(postgres_server.url).set(database=name)
    engine = create_async_engine(url.set(drivername="postgresql+asyncpg"))

    def upgrade(connection: Connection) -> None:
        create_schemas_and_roles(connection)
        connection.commit()
        for revision in request.module.LEFT_AT:
            command.upgrade(alembic_config(connection), revision)
            connection.commit()

    async with engine.connect() as connection:
        await connection.run_sync(upgrade)
    await engine.dispose()
    yield url.render_as_string(hide_password=False)
    await postgres_server.drop(name)
