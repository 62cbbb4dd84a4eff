"""Compare balances with their entries, each night by itself and whenever an operator asks, and keep what came of it.

A night goes on from where the last run ended; once a week, and whenever an operator asks, everything is added up.
"""

import logging
from datetime import date, timedelta
from uuid import UUID

from prometheus_client import Gauge

from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.problems import ReconciliationRunning
from services.wallet_ledger.domain.reconciliation import Comparison, Reconciliation
from services.wallet_ledger.store.reconciliation import Reconciliations, compare, snapshot
from services.wallet_ledger.store.reconciliation_since import compare_since
from shared.contracts.wallet_ledger.account_events import LedgerMismatchFound
from shared.ids import new_id

_log = logging.getLogger(__name__)
_MISMATCHES = Gauge("lendery_ledger_reconciliation_mismatches", "Balances that were not what their entries add up to")
_FINISHED = Gauge("lendery_ledger_reconciliation_timestamp_seconds", "When balances were last compared with their entries")
_ALONE = "SELECT pg_try_advisory_xact_lock(hashtextextended('reconcile ledger', 0))"


async def reconcile_night(context: Context) -> None:
    """Compare once for each day that has ended (UTC)."""
    day = context.clock.now().date() - timedelta(days=1)
    async with context.read() as connection:
        kept = Reconciliations(connection)
        if await kept.has_night(day):
            return
        since = await kept.point_for(day)
    await _reconcile(context, None, since)


async def reconcile_ledger(context: Context, operator_id: UUID) -> Reconciliation:
    """Compare everything now; what came of it is kept. Raises `ReconciliationRunning`."""
    return await _reconcile(context, operator_id, None)


async def _reconcile(context: Context, operator_id: UUID | None, since: Comparison | None) -> Reconciliation:
    started_at = context.clock.now()
    async with context.database.engine.connect() as alone:
        if not (await alone.exec_driver_sql(_ALONE)).scalar_one():
            raise ReconciliationRunning(
                "Wait for it to end: GET /v1/admin/ledger/reconciliations.", headers={"Retry-After": "10"}
            )
        await alone.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        async with snapshot(context.database) as connection:
            found = await (compare(connection, started_at) if since is None else compare_since(connection, since))
        day: date = started_at.date() - timedelta(days=1)
        run = Reconciliation(new_id(), day, operator_id, started_at, context.clock.now(), found)
        await _keep(context, run)
    _MISMATCHES.set(found.mismatch_count)
    _FINISHED.set(run.finished_at.timestamp())
    return run


async def _keep(context: Context, run: Reconciliation) -> None:
    async with context.unit_of_work() as work:
        if not await Reconciliations(work.connection).add(run):
            return
        if run.started_by is not None:
            facts = {"balanced": run.balanced, "mismatches": run.found.mismatch_count, "accounts": run.found.accounts}
            work.publish_action("ledger.reconciled", actor=run.started_by, subject_id=run.id, after=facts)
        if not run.balanced:
            first = run.found.mismatches[0]
            _log.critical("the ledger's balances are not what their entries add up to", extra={"first": first.where})
            found = LedgerMismatchFound(
                reconciliation_id=run.id, mismatch_count=run.found.mismatch_count, first=f"{first.where}: {first.what}"
            )
            work.outbox.publish(found, aggregate_id=run.id)
