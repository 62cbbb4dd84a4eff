"""A service's way to PostgreSQL, where the server has no place left."""

import os
from typing import Any

import asyncpg
import pytest

from shared.db import Database
from shared.db.database import role_of


async def test_a_full_server_is_waited_for(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connect, refusals = asyncpg.connect, [asyncpg.TooManyConnectionsError("sorry, too many clients already")] * 2

    async def crowded(*args: Any, **options: Any) -> asyncpg.Connection:
        if refusals:
            raise refusals.pop()
        return await connect(*args, **options)

    monkeypatch.setattr(asyncpg, "connect", crowded)
    role = role_of("auth", os.environ["LENDERY_DB_ROLE_PREFIX"])
    database = Database(database_url, schema="auth", role=role)
    try:
        await database.ping()
    finally:
        await database.dispose()
    assert not refusals
