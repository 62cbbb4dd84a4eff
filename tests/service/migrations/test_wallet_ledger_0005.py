"""The migration to keyed indexes of addresses, of a ledger that knows people: they can be sent money once it has started."""

import hashlib
from uuid import UUID

import asyncpg

from migrations.runner import migrate
from services.wallet_ledger.main import build
from services.wallet_ledger.sealed import SEALED
from services.wallet_ledger.settings import Settings
from services.wallet_ledger.store.people import hash_place, indexes_of
from services.wallet_ledger.store.wallets import WalletStore
from shared.crypto.rotation import seal_clear
from tests.support.identity import platform_for_tests

LEFT_AT = ("wallet_ledger_0004",)

AMINA, LEFT = UUID(int=1), UUID(int=2)
HASH = hashlib.sha256(b"amina@example.com").digest()


async def test_people_are_found_as_before_and_no_hash_stays_that_anybody_can_make(old_database: str) -> None:
    connection = await asyncpg.connect(old_database)
    await connection.execute(
        """INSERT INTO wallet_ledger.accounts (id, address, currency, floor_minor) VALUES
            (1, 'wallet:00000000-0000-0000-0000-000000000011', 'KES', 0)"""
    )
    await connection.execute(
        """INSERT INTO wallet_ledger.wallets (id, user_id, account_id, currency, name, is_home, opened_at)
            VALUES ('00000000-0000-0000-0000-000000000011', $1, 1, 'KES', 'Main', true, now())""",
        AMINA,
    )
    # One hash that looks like a sealed value: by chance some do.
    lookalike = b"\x01\x05local" + bytes(25)
    await connection.execute(
        "INSERT INTO wallet_ledger.people (user_id, email_hash, active) VALUES ($1, $2, true), ($3, $4, true)",
        *(AMINA, HASH, LEFT, lookalike),
    )

    await migrate(old_database)

    before = await connection.fetch("SELECT user_id, email_hash, email_index FROM wallet_ledger.people ORDER BY user_id")
    assert [tuple(row) for row in before] == [(AMINA, HASH, None), (LEFT, lookalike, None)], "a migration has no keys"
    service = build(Settings(env="test", database_url=old_database), platform_for_tests())
    vault = service.context.vault
    try:
        assert service.resources is not None
        async with service.resources(), service.context.read() as reading:
            found = await WalletStore(reading).receiving(indexes_of(vault, "Amina@Example.com"), "KES")
            assert found is not None
            assert found.user_id == AMINA
            assert await WalletStore(reading).receiving([HASH], "KES") is None
        rows = await connection.fetch("SELECT user_id, email_hash FROM wallet_ledger.people ORDER BY user_id")
        opened = [vault.decrypt(row["email_hash"], aad=hash_place(row["user_id"])) for row in rows]
        assert opened == [HASH, lookalike]
        assert await seal_clear(service.database, vault, *SEALED) == 0
    finally:
        await service.database.dispose()
        await connection.close()
