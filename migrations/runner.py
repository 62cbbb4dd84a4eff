"""Bring a database to the present shape: what `lendery migrate`, `make run` and the tests call."""

import time
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from migrations.roles import create_schemas_and_roles

_LOCK = 7_236_110_431  # one migration run at a time, whoever starts it
_LOCK_NOT_AVAILABLE = "55P03"
_TRIES = 5
_CONFIG = Path(__file__).with_name("alembic.ini")


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, bound to an open connection if one is given."""
    config = Config(str(_CONFIG))
    if connection is not None:
        config.attributes["connection"] = connection
    return config


async def migrate(database_url: str, *, progress: Callable[[str], None] = lambda _: None) -> list[str]:
    """Apply every migration that is missing; the revisions that were applied.

    `database_url` names a login that may create schemas and roles. Safe to run from several processes at once.
    A migration that cannot get its locks within some seconds is tried again, up to five times.
    """
    engine = create_async_engine(make_url(database_url).set(drivername="postgresql+asyncpg"))
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_migrate_alone, progress)
    finally:
        await engine.dispose()


def _migrate_alone(connection: Connection, progress: Callable[[str], None]) -> list[str]:
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
    connection.commit()
    try:
        before = _heads(connection)
        wanted = set(ScriptDirectory.from_config(alembic_config()).get_heads())
        if before == wanted:
            return []
        progress("creating schemas and roles")
        create_schemas_and_roles(connection)
        connection.commit()
        progress("applying migrations")
        _upgrade(connection)
        return sorted(_heads(connection) - before)
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
        connection.commit()


def _heads(connection: Connection) -> set[str]:
    heads = MigrationContext.configure(connection, opts={"version_table_schema": "public"}).get_current_heads()
    connection.rollback()
    return set(heads)


def _upgrade(connection: Connection) -> None:
    for tried in range(1, _TRIES + 1):
        try:
            command.upgrade(alembic_config(connection), "heads")
            return
        except DBAPIError as error:
            connection.rollback()
            busy = getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE
            if not busy or tried == _TRIES:
                raise
            time.sleep(tried)
