"""The migration to reconciliations that go on from another, of a ledger that has some."""

import secrets
from collections.abc import AsyncIterator

import asyncpg
import pytest
from alembic import command
from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from migrations.roles import create_schemas_and_roles
from migrations.runner import alembic_config, migrate
from tests.support.postgres import Server


@pytest.fixture
async def old_database(postgres_server: Server, template_database: str) -> AsyncIterator[str]:
    """A database as the migration before left it. (The template keeps this run's roles alive until the end.)"""
    name = f"lendery_before_{secrets.token_hex(4)}"
    await postgres_server.clone("template0", name)
    url = make_url(postgres_server.url).set(database=name)
    engine = create_async_engine(url.set(drivername="postgresql+asyncpg"))

    def upgrade(connection: Connection) -> None:
        create_schemas_and_roles(connection)
        connection.commit()
        command.upgrade(alembic_config(connection), "wallet_ledger_0005")
        connection.commit()

    async with engine.connect() as connection:
        await connection.run_sync(upgrade)
    await engine.dispose()
    yield url.render_as_string(hide_password=False)
    await postgres_server.drop(name)


async def test_runs_of_before_were_full_and_saw_no_block(old_database: str) -> None:
    connection = await asyncpg.connect(old_database)
    await connection.execute("""
        INSERT INTO wallet_ledger.reconciliations (id, day, started_at, finished_at, last_sequence, accounts, transfers, balanced,
            mismatch_count, mismatches)
        VALUES (gen_random_uuid(), '2026-01-30', now(), now(), 7, 3, 9, true, 0, '[]'),
               (gen_random_uuid(), '2026-01-31', now(), now(), 8, 3, 9, false, 1, '[{"where": "fees:KES", "what": "x"}]')
    """)
    before = await connection.fetch("SELECT * FROM wallet_ledger.reconciliations ORDER BY day")

    await migrate(old_database)

    after = await connection.fetch("SELECT * FROM wallet_ledger.reconciliations ORDER BY day")
    assert [dict(row) for row in after] == [
        dict(row) | {"after_sequence": 0, "block_number": None, "block_hash": None} for row in before
    ]
    with pytest.raises(asyncpg.RestrictViolationError):
        await connection.execute("UPDATE wallet_ledger.reconciliations SET after_sequence = 5")
    await connection.close()
