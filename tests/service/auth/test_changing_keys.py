"""While the encryption key is being changed, processes seal under different keys: an address still has one account."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import asyncpg
import pytest

from services.auth.domain.user import User, new_user
from services.auth.store.users import Users
from shared.crypto import Vault, open_vault
from shared.db.database import Database, role_of
from shared.ids import new_id

OLD = "k1:" + base64.urlsafe_b64encode(bytes(32)).decode()
NEW = "k2:" + base64.urlsafe_b64encode(bytes(range(32))).decode()
BEFORE, AFTER = (open_vault(keys, production=False) for keys in (f"{OLD},{NEW}", f"{NEW},{OLD}"))
EMAIL = "amina@example.com"
WAITS = """SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'advisory'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"""


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    found = Database(database_url, schema="auth", role=role_of("auth", os.environ["LENDERY_DB_ROLE_PREFIX"]), pool_size=4)
    yield found
    await found.dispose()


def somebody(email: str) -> User:
    return new_user(
        user_id=new_id(),
        email=email,
        password_hash="x",
        full_name="Amina",
        phone=None,
        home_currency="KES",
        now=datetime(2026, 3, 1, tzinfo=UTC),
    )


async def test_an_address_indexed_under_the_old_key_is_found_and_taken(database: Database) -> None:
    only_old = open_vault(OLD, production=False)
    async with database.engine.begin() as connection:
        amina = somebody(EMAIL)
        assert await Users(connection, only_old).add_if_email_is_free(amina)
        for vault in (BEFORE, AFTER):
            users = Users(connection, vault)
            assert await users.find_by_email("Amina@Example.com") == amina
            assert await users.page(after=None, count=5, email=EMAIL) == [amina]
            assert await users.email_is_taken(EMAIL)
            assert not await users.add_if_email_is_free(somebody(EMAIL))
            assert not await users.email_is_taken("baraka@example.com")
        await Users(connection, AFTER).save(amina)
        assert await Users(connection, BEFORE).find_by_email(EMAIL) == amina, "saved under the new key, its index too"
        assert await Users(connection, only_old).find_by_email(EMAIL) is None


async def test_registering_at_once_under_different_keys_makes_one_account(database: Database, owner: asyncpg.Connection) -> None:
    """The second waits for the first, whose row the database would not see as the same address."""
    added, may_end = asyncio.Event(), asyncio.Event()

    async def first() -> bool:
        async with database.engine.begin() as connection:
            done = await Users(connection, BEFORE).add_if_email_is_free(somebody(EMAIL))
            added.set()
            await may_end.wait()
            return done

    async def second(vault: Vault) -> bool:
        async with database.engine.begin() as connection:
            return await Users(connection, vault).add_if_email_is_free(somebody(EMAIL))

    one = asyncio.create_task(first())
    await added.wait()
    other = asyncio.create_task(second(AFTER))
    async with asyncio.timeout(30):
        while not await owner.fetchval(WAITS):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    may_end.set()
    assert (await one, await other) == (True, False)
    assert await owner.fetchval("SELECT count(*) FROM auth.users") == 1
