"""Compare one day's rows with our books and keep what came of it, in the caller's transaction."""

import logging
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from services.payments.domain.reconciliation import Item, ReportRow, compare
from services.payments.store.reconciliations import Run
from services.payments.store.settlements import KeptReport
from services.payments.store.unit_of_work import PaymentsWork
from shared.contracts.payments.provider_commands import RunPayout, SyncDeposit
from shared.contracts.payments.reconciliation_events import ReconciliationDifferencesFound

_log = logging.getLogger(__name__)
_ASKED_AT_ONCE = 500


async def compare_day(
    work: PaymentsWork,
    provider: str,
    day: date,
    report: KeptReport,
    rows: Sequence[ReportRow],
    *,
    operator_id: UUID | None,
    started_at: datetime,
    ask: bool,
) -> tuple[Run, bool]:
    """The run, and whether it found something that the last one had not. Differences that are news are told.

    With `ask`, the provider is asked about what it has settled and we have not, as if its webhook had come at last.
    """
    items = compare(await work.bookings.facts(provider, day, rows))
    run, is_new = await work.reconciliations.keep(
        provider, day, report, items, started_by=operator_id, started_at=started_at, now=work.now
    )
    if is_new and not run.balanced:
        counts = {verdict.value: count for verdict, count in run.counts.items()}
        _log.error("a provider's report differs from our books", extra={"provider": provider, **counts})
        found = {name: counts[name] for name in ("missing", "surplus", "amount_mismatch")}
        event = ReconciliationDifferencesFound(run_id=run.id, provider=provider, day=day, **found)
        work.outbox.publish(event, aggregate_id=run.id)
        if ask:
            _ask_about(work, [item for item in items if item.why == "not_booked"][:_ASKED_AT_ONCE])
    return run, is_new


def _ask_about(work: PaymentsWork, items: Sequence[Item]) -> None:
    for item in items:
        assert item.booking is not None  # noqa: S101 ours, or it would be unknown
        ours = item.booking.id
        command = SyncDeposit(deposit_id=ours) if item.kind == "payment" else RunPayout(withdrawal_id=ours)
        work.outbox.send(command, aggregate_id=ours)
