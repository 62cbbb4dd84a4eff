"""The migration to kept trial balances, of a ledger that has money in it."""

import asyncio

import asyncpg

from migrations.runner import migrate
from services.wallet_ledger.commands.keep_trial_balances import keep_trial_balances
from services.wallet_ledger.main import build
from services.wallet_ledger.queries.accounts import trial_balance
from services.wallet_ledger.queries.verification import verify_ledger
from services.wallet_ledger.settings import Settings
from tests.support.identity import platform_for_tests

LEFT_AT = ("wallet_ledger_0001",)

_TABLES = ("accounts", "transactions", "transfers")


async def _rows(connection: asyncpg.Connection) -> dict[str, list[asyncpg.Record]]:
    return {table: await connection.fetch(f"SELECT * FROM wallet_ledger.{table} ORDER BY 1, 2") for table in _TABLES}


async def test_a_ledger_with_money_in_it_keeps_it_and_gains_its_points(old_database: str) -> None:
    connection = await asyncpg.connect(old_database)
    await connection.execute("""
        BEGIN;
        INSERT INTO wallet_ledger.accounts (
            id, address, currency, floor_minor, version, debits_posted_minor, credits_posted_minor
        ) VALUES (1, 'provider:test:KES', 'KES', NULL, 2, 900, 0), (2, 'fees:KES', 'KES', 0, 1, 0, 500),
               (3, 'reserve:KES', 'KES', 0, 1, 0, 400);
        INSERT INTO wallet_ledger.transactions (
            sequence, id, scope, idempotency_key, fingerprint, kind, status, booked_at, effective_on, transfer_count
        ) VALUES (1, gen_random_uuid(), 'tests', 'a', sha256('a'), 'test', 'posted', '2026-01-01T10:00Z', '2026-01-01', 2);
        INSERT INTO wallet_ledger.transfers (
            transaction_sequence, position, id, debit_account_id, credit_account_id, currency, amount_minor, pending_minor,
            debit_version, credit_version, debit_balance_after_minor, credit_balance_after_minor, debit_pending_after_minor,
            credit_pending_after_minor
        ) VALUES (1, 0, gen_random_uuid(), 1, 2, 'KES', 500, 0, 1, 1, -500, 500, 0, 0),
                 (1, 1, gen_random_uuid(), 1, 3, 'KES', 400, 0, 2, 1, -900, 400, 0, 0);
        COMMIT;
    """)
    before = await _rows(connection)

    applied = await migrate(old_database)

    assert any(revision.startswith("wallet_ledger_") for revision in applied)
    for table, rows in (await _rows(connection)).items():
        kept = [{column: row[column] for column in dict(old)} for row, old in zip(rows, before[table], strict=True)]
        assert kept == [dict(old) for old in before[table]], table
    # What was posted before has told its outcome by the outbox: the journal's own telling begins after it.
    assert await connection.fetchval("SELECT sequence FROM wallet_ledger.journal_readers WHERE name = 'outcomes'") == 1
    assert await connection.fetchval("SELECT count(*) FROM wallet_ledger.trial_balances") == 0
    service = build(Settings(env="test", database_url=old_database, home_currency="KES"), platform_for_tests())
    try:
        await keep_trial_balances(service.context)
        kept = await connection.fetch("SELECT kind, credits_minor - debits_minor AS balance FROM wallet_ledger.trial_balances")
        assert {row["kind"]: row["balance"] for row in kept} == {"provider": -900, "fees": 500, "reserve": 400}
        now, then = await asyncio.gather(
            trial_balance(service.context, None), trial_balance(service.context, before["transactions"][0]["booked_at"])
        )
        assert now == then
        assert (await verify_ledger(service.database)).sound
    finally:
        await service.database.dispose()
        await connection.close()
