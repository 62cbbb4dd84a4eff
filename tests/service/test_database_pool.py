"""The databases that tests are given: each as new, whatever the test before did to it."""

import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator

import asyncpg
import pytest

from migrations.roles import role_of
from tests.support import catalogs
from tests.support.database_pool import DatabasePool
from tests.support.postgres import Server
from tests.support.run import RUN, database_name


@pytest.fixture
async def pool(postgres_server: Server, template_database: str) -> AsyncIterator[DatabasePool]:
    """A pool of this test's own."""
    pool = DatabasePool(postgres_server, template_database, "pool")
    yield pool
    await pool.close()


async def _look(pool: DatabasePool, name: str) -> tuple[str, list[tuple[str, str]], dict[str, tuple[int, bool]]]:
    connection = await asyncpg.connect(pool.url(name))
    try:
        tables = await catalogs.tables(connection)
        rows = [(table, await catalogs.digest(connection, table)) for table in tables]
        return await catalogs.fingerprint(connection), rows, await catalogs.sequences(connection)
    finally:
        await connection.close()


async def _do(pool: DatabasePool, name: str, statements: str) -> None:
    connection = await asyncpg.connect(pool.url(name))
    try:
        await connection.execute(statements)
    finally:
        await connection.close()


async def _rest_and_take(pool: DatabasePool, name: str) -> str:
    """Give the database back and take until it would be its turn again."""
    other = await pool.take()
    pool.give_back(name)
    pool.give_back(other)
    return await pool.take()


async def test_rows_sequences_and_what_the_template_held_are_as_before(pool: DatabasePool) -> None:
    name = await pool.take()
    before = await _look(pool, name)
    await _do(
        pool,
        name,
        """
        INSERT INTO wallet_ledger.accounts (address, currency) VALUES ('fees:KES', 'KES');
        INSERT INTO wallet_ledger.blocks VALUES (1, 1, 1, 1, sha256('a'), sha256('b'));
        UPDATE alembic_version SET version_num = 'nowhere' WHERE version_num LIKE 'auth%';
        DELETE FROM alembic_version WHERE version_num LIKE 'lending%';
        SELECT nextval('auth.outbox_id_seq'), nextval('auth.outbox_id_seq');
        """,
    )
    with pytest.raises(asyncpg.RestrictViolationError):
        await _do(pool, name, "DELETE FROM wallet_ledger.blocks")
    changed = await _look(pool, name)
    assert changed[0] == before[0]
    assert changed[1] != before[1]
    assert changed[2] != before[2]

    again = await _rest_and_take(pool, name)
    assert pool.reused == 1
    assert again != name
    assert await _look(pool, again) == before
    with pytest.raises(asyncpg.RestrictViolationError):
        await _do(pool, again, "DELETE FROM wallet_ledger.blocks")


async def test_who_was_connected_is_not_and_cannot_return(pool: DatabasePool) -> None:
    name = await pool.take()
    straggler = await asyncpg.connect(pool.url(name))
    await straggler.execute("BEGIN; INSERT INTO wallet_ledger.accounts (address, currency) VALUES ('fees:KES', 'KES')")
    again = await _rest_and_take(pool, name)
    assert pool.reused == 1
    with pytest.raises((asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, asyncpg.InterfaceError)):
        await straggler.execute("COMMIT")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(pool.url(name))
    assert dict((await _look(pool, again))[1])["wallet_ledger.accounts"] == "0/0"


async def test_a_database_that_was_altered_is_thrown_away(pool: DatabasePool) -> None:
    name = await pool.take()
    before = await _look(pool, name)
    await _do(pool, name, "ALTER TABLE wallet_ledger.blocks DISABLE TRIGGER USER")
    again = await _rest_and_take(pool, name)
    assert (pool.cloned, pool.reused) == (3, 0)
    assert await _look(pool, again) == before
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(pool.url(name))


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE public.mine (a int)",
        "ALTER TABLE auth.users ADD COLUMN mine int",
        "ALTER TABLE auth.users ALTER COLUMN created_at DROP NOT NULL",
        "ALTER TABLE wallet_ledger.blocks DROP CONSTRAINT blocks_hash_check",
        "ALTER TABLE wallet_ledger.blocks DISABLE TRIGGER USER",
        "ALTER TABLE wallet_ledger.blocks ENABLE ALWAYS TRIGGER blocks_only_grow",
        "CREATE OR REPLACE FUNCTION wallet_ledger.refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "DROP INDEX wallet_ledger.wallets_user_id_idx",
        "ALTER SEQUENCE auth.outbox_id_seq INCREMENT 2",
        'GRANT DELETE ON wallet_ledger.blocks TO "{role}"',
        'REVOKE USAGE ON SCHEMA wallet_ledger FROM "{role}"',
        'ALTER DATABASE "{name}" SET work_mem = 64',
        'ALTER ROLE "{role}" IN DATABASE "{name}" SET work_mem = 64',
        "CREATE RULE mine AS ON DELETE TO wallet_ledger.people DO INSTEAD NOTHING",
        "DROP SCHEMA sandbox CASCADE",
    ],
)
async def test_every_alteration_is_noticed(owner: asyncpg.Connection, statement: str) -> None:
    before = await catalogs.fingerprint(owner)
    name = await owner.fetchval("SELECT current_database()")
    transaction = owner.transaction()
    await transaction.start()
    await owner.execute(statement.format(name=name, role=role_of("wallet_ledger")))
    assert await catalogs.fingerprint(owner) != before
    await transaction.rollback()
    assert await catalogs.fingerprint(owner) == before


async def test_one_test_may_have_several(pool: DatabasePool) -> None:
    names = [await pool.take() for _ in range(3)]
    assert len(set(names)) == 3
    await _do(pool, names[0], "INSERT INTO wallet_ledger.accounts (address, currency) VALUES ('fees:KES', 'KES')")
    assert dict((await _look(pool, names[1]))[1])["wallet_ledger.accounts"] == "0/0"


@pytest.fixture
def gone() -> int:
    """The id of a process that is no more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        return process.pid


async def test_what_a_killed_run_left_is_removed_and_what_a_living_one_uses_is_not(postgres_server: Server, gone: int) -> None:
    mine = database_name("living")
    theirs = mine.replace(f"p{os.getpid()}x", f"p{gone}x")
    elsewhere = theirs.replace(RUN[:6], secrets.token_hex(3))
    for name in (mine, theirs, elsewhere):
        await postgres_server.clone("template0", name)
    try:
        assert theirs in await postgres_server.remove_left_overs()
        connection = await asyncpg.connect(postgres_server.url)
        found = await connection.fetch("SELECT datname FROM pg_database WHERE datname = ANY($1)", [mine, theirs, elsewhere])
        await connection.close()
        assert {row["datname"] for row in found} == {mine, elsewhere}
    finally:
        for name in (mine, theirs, elsewhere):
            await postgres_server.drop(name)
