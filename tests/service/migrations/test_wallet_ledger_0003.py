"""The migration to freezes with reasons, of a ledger that has frozen accounts."""

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
        command.upgrade(alembic_config(connection), "wallet_ledger_0002")
        connection.commit()

    async with engine.connect() as connection:
        await connection.run_sync(upgrade)
    await engine.dispose()
    yield url.render_as_string(hide_password=False)
    await postgres_server.drop(name)


async def test_frozen_accounts_stay_so_and_get_their_cause(old_database: str) -> None:
    connection = await asyncpg.connect(old_database)
    await connection.execute("""
        INSERT INTO wallet_ledger.accounts (id, address, currency, floor_minor, status) VALUES
            (1, 'wallet:1', 'KES', 0, 'frozen'), (2, 'wallet:2', 'KES', 0, 'frozen'), (3, 'wallet:3', 'KES', 0, 'open'),
            (4, 'suspense:KES', 'KES', NULL, 'frozen'), (5, 'wallet:5', 'KES', 0, 'closed');
        INSERT INTO wallet_ledger.wallets (id, user_id, account_id, currency, name, is_home, opened_at)
            SELECT gen_random_uuid(), md5(n::text)::uuid, n, 'KES', 'Main', true, now() FROM generate_series(1, 3) AS n;
        INSERT INTO wallet_ledger.people (user_id, email_hash, active)
            VALUES (md5('1')::uuid, sha256('1'), false), (md5('2')::uuid, sha256('2'), true), (md5('3')::uuid, sha256('3'), true);
    """)
    before = await connection.fetch("SELECT * FROM wallet_ledger.accounts ORDER BY id")

    await migrate(old_database)

    assert await connection.fetch("SELECT * FROM wallet_ledger.accounts ORDER BY id") == before
    causes = await connection.fetch("SELECT account_id, cause FROM wallet_ledger.account_freezes ORDER BY account_id")
    assert [tuple(row) for row in causes] == [(1, "suspension"), (2, "operator"), (4, "operator")]
    await connection.close()
