"""Alembic's environment. Every migration runs in its own transaction, and gives up rather than queue behind long locks."""

import asyncio
import os

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from migrations.schemas import SCHEMAS, declared_tables

_LOCK_TIMEOUT = "4s"


def _ours(name: str | None, kind: str, parents: object) -> bool:
    return name in SCHEMAS if kind == "schema" else True


def _run(connection: Connection) -> None:
    connection.execute(text(f"SET lock_timeout = '{_LOCK_TIMEOUT}'"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=declared_tables(),
        include_schemas=True,
        include_name=_ours,
        version_table_schema="public",
        transaction_per_migration=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def _connect_and_run() -> None:
    engine = create_async_engine(make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+asyncpg"))
    async with engine.connect() as connection:
        await connection.run_sync(_run)
    await engine.dispose()


given = context.config.attributes.get("connection")
if given is None:
    asyncio.run(_connect_and_run())
else:
    _run(given)
