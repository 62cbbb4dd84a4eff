"""Prove the ledger: recompute every balance, version chain, hold, key, hash and trial balance from the journal.

Online: it reads one snapshot, so posting goes on meanwhile. In bounded memory: the journal is walked in stretches. Each
check says of the earliest row at which it fails where that is.
"""

from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.problems import VerificationRunning
from services.wallet_ledger.queries.verify_accounts import check_accounts, size_of_accounts
from services.wallet_ledger.queries.verify_blocks import check_blocks, size_of_blocks
from services.wallet_ledger.queries.verify_days import check_days, check_shifts, size_of_days
from services.wallet_ledger.queries.verify_guards import check_guards, size_of_guards
from services.wallet_ledger.queries.verify_holds import check_holds, size_of_holds
from services.wallet_ledger.queries.verify_journal import check_keys, check_reversals, check_transactions, size_of_journal
from services.wallet_ledger.queries.verify_totals import check_totals, check_trial_balances, check_wallets, nothing_to_walk
from shared.db.database import Database
from shared.verification import Check, Report, Tell, run_checks

LEDGER_CHECKS = (
    Check("transactions", check_transactions, size_of_journal),
    Check("idempotency keys", check_keys, size_of_journal),
    Check("reversals", check_reversals, nothing_to_walk),
    Check("accounts", check_accounts, size_of_accounts),
    Check("holds", check_holds, size_of_holds),
    Check("trial balance", check_totals, nothing_to_walk),
    Check("kept trial balances", check_trial_balances, size_of_journal),
    Check("ends of days", check_days, size_of_days),
    Check("effective dates", check_shifts, nothing_to_walk),
    Check("wallets", check_wallets, nothing_to_walk),
    Check("blocks", check_blocks, size_of_blocks),
    Check("guards", check_guards, size_of_guards),
)
"""In their order: later ones compare with what earlier ones counted."""


async def verify_ledger(database: Database, tell: Tell = lambda _: None) -> Report:
    """Verify everything. Read-only; `tell` is called after each stretch."""
    return await run_checks(database, LEDGER_CHECKS, tell)


async def verify_alone(context: Context) -> Report:
    """Verify everything for an operator; one at a time. Raises `VerificationRunning`."""
    async with context.database.engine.connect() as connection:
        free = await connection.exec_driver_sql("SELECT pg_try_advisory_xact_lock(hashtextextended('verify ledger', 0))")
        if not free.scalar_one():
            raise VerificationRunning("Wait for it to end.", headers={"Retry-After": "10"})
        await connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        return await verify_ledger(context.database)
