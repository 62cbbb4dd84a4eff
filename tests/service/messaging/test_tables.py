"""The migrations' tables are those that the code declares, and forgetting takes only what is old and done with."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import create_async_engine

from shared.messaging.purge import KEEP_DECIDED, KEEP_HANDLED, KEEP_PUBLISHED, purge_messages
from shared.messaging.tables import add_messaging_tables
from shared.sagas.tables import add_sagas_table
from tests.support.messaging import Platform


async def test_the_steps_create_what_is_declared(platform: Platform) -> None:
    metadata = MetaData(schema="sender")
    add_messaging_tables(metadata)
    add_sagas_table(metadata)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "compare_type": True,
                "compare_server_default": True,
                "include_name": lambda name, kind, parents: name == "sender" if kind == "schema" else name != "effects",
            },
        )
        return list(compare_metadata(context, metadata))

    engine = create_async_engine(platform.url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert found == []


async def test_only_what_is_old_and_done_with_is_forgotten(platform: Platform, owner: asyncpg.Connection) -> None:
    now = datetime.now(UTC)
    old, recent = timedelta(hours=1), -timedelta(hours=1)
    await platform.sender.say("a", *range(4))
    await owner.execute("UPDATE sender.outbox SET published_at = $1 WHERE id <= 2", now - KEEP_PUBLISHED - old)
    await owner.execute("UPDATE sender.outbox SET published_at = $1 WHERE id = 3", now - KEEP_PUBLISHED - recent)
    for age in (old, recent):
        await owner.execute("INSERT INTO sender.inbox VALUES ('sender', $1, $2)", uuid4(), now - KEEP_HANDLED - age)
        for status in ("dead", "replayed", "discarded"):
            await owner.execute(
                """INSERT INTO sender.dead_letters
                    (consumer, message_id, type, envelope, error, attempts, status, last_failed_at)
                VALUES ('sender', $1, 'x', '{}', 'x', 1, $2, $3)""",
                uuid4(),
                status,
                now - KEEP_DECIDED - age,
            )
    async with platform.sender.database.engine.begin() as connection:
        assert await purge_messages(connection, now, limit=1) == 3
    async with platform.sender.database.engine.begin() as connection:
        assert await purge_messages(connection, now) == 2
        assert await purge_messages(connection, now) == 0
    assert await owner.fetch("SELECT id FROM sender.outbox ORDER BY id") == [(3,), (4,)]
    assert await owner.fetchval("SELECT count(*) FROM sender.inbox") == 1
    kept = await owner.fetch("SELECT status FROM sender.dead_letters ORDER BY id")
    assert [row["status"] for row in kept] == ["dead", "dead", "replayed", "discarded"]
