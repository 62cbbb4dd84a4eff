"""The migration to freezes with reasons, of a ledger that has frozen accounts."""

import asyncpg

from migrations.runner import migrate

LEFT_AT = ("wallet_ledger_0002",)


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
