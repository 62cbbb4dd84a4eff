"""The migration to reconciliations that go on from another, of a ledger that has some."""

import asyncpg
import pytest

from migrations.runner import migrate

LEFT_AT = ("wallet_ledger_0005",)


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
