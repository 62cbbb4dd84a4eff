"""Compare a provider's report of a day with our books, and keep what came of it.

A provider that gives no reports is compared with the last file that an operator has uploaded.
The day is claimed, the provider asked with no transaction open, then report, comparison and its event are written together.
Doing it again changes nothing unless the provider or our books say something new: then there is a new run beside the old one.
"""

import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from prometheus_client import Gauge

from services.payments.commands.compare_day import compare_day
from services.payments.context import Context
from services.payments.domain.problems import (
    DayNotClosed,
    NoSettlementReports,
    ProviderUnavailable,
    ReconciliationRunning,
    UnknownProvider,
)
from services.payments.domain.reconciliation import Verdict
from services.payments.providers.base import Answer, Success, Unknown
from services.payments.providers.settlement_reports import Report, read_report
from services.payments.store.reconciliations import Run
from services.payments.store.settlements import SettlementStore
from services.payments.store.unit_of_work import PaymentsWork

_log = logging.getLogger(__name__)
_DIFFERENCES = Gauge(
    "lendery_reconciliation_differences", "Of the day last compared: rows and bookings that do not match", ["provider"]
)
_CLAIM = timedelta(minutes=15)
_AFTER_MIDNIGHT = timedelta(minutes=30)
_LOOK_BACK_DAYS, _LATE_ROWS_DAYS = 31, 7
_AGAIN = timedelta(hours=24)
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=5), timedelta(hours=6)
_DAYS_A_RUN = 20


@dataclass(frozen=True)
class Order:
    """Which day of which provider is to be compared; without `operator_id` it is the schedule's wish."""

    provider: str
    day: date
    operator_id: UUID | None = None


async def reconcile_closed_days(context: Context) -> None:
    """Every day that has ended and is due: once soon after its end, again for some days for rows that come late, and, when a
    provider could not be asked, until it can."""
    now = context.clock.now()
    for name, provider in context.providers.items():
        if provider.capabilities.reports_settlements:
            await _watch(context, name, now)
    async with context.read() as connection:
        due = await SettlementStore(connection).due(now, _DAYS_A_RUN)
    for provider_name, day in due:
        if provider_name not in context.providers:
            continue
        try:
            await reconcile_provider(context, Order(provider_name, day))
        except (ProviderUnavailable, ReconciliationRunning) as reason:
            _log.warning("a day could not be reconciled yet", extra={"provider": provider_name, "code": reason.code})


async def reconcile_provider(context: Context, order: Order) -> tuple[Run, bool]:
    """The run, and whether it found something that the last one had not.

    Raises `UnknownProvider`, `NoSettlementReports`, `DayNotClosed`, `ReconciliationRunning`, `ProviderUnavailable`.
    """
    asked = await _is_asked(context, order)
    started_at = context.clock.now()
    if order.day >= started_at.date():
        raise DayNotClosed("It can be compared once it has ended (UTC). GET the same day to see how it stands so far.")
    async with context.unit_of_work() as work:
        if not await work.settlements.claim(order.provider, order.day, work.now, work.now + _CLAIM):
            raise ReconciliationRunning("Wait for it to end, then read what it found.", headers={"Retry-After": "10"})
    try:
        report = await _report(context, order) if asked else None
        async with context.unit_of_work() as work:
            run, is_new = await _compare(work, order, report, started_at)
            late = asked and work.now.date() - order.day < timedelta(days=_LATE_ROWS_DAYS)
            await work.settlements.release(order.provider, order.day, work.now, work.now + _AGAIN if late else None)
    except ProviderUnavailable:
        raise
    except Exception as fault:
        await _give_back(context, order, type(fault).__name__)
        raise
    _DIFFERENCES.labels(order.provider).set(sum(run.counts.values()) - run.counts[Verdict.MATCHED])
    return run, is_new


async def _is_asked(context: Context, order: Order) -> bool:
    """Whether the provider itself is asked; a file serves otherwise. Raises `UnknownProvider` or `NoSettlementReports`."""
    provider = context.providers.get(order.provider)
    if provider is not None and provider.capabilities.reports_settlements:
        return True
    async with context.read() as connection:
        if await SettlementStore(connection).latest(order.provider, order.day) is not None:
            return False
    if provider is None:
        raise UnknownProvider("Use a name from GET /v1/payment-providers.")
    raise NoSettlementReports(
        f"{order.provider} does not report what it settled. Upload its file of the day: POST /v1/admin/reconciliation/files."
    )


async def _watch(context: Context, provider: str, now: datetime) -> None:
    async with context.unit_of_work() as work:
        first = await work.settlements.first_day(provider)
        if first is None:
            return
        last = (now - _AFTER_MIDNIGHT).date() - timedelta(days=1)
        first = max(first, last - timedelta(days=_LOOK_BACK_DAYS))
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        await work.settlements.watch(provider, days, now)


async def _report(context: Context, order: Order) -> Report:
    answer = await read_report(context.ask, order.provider, order.day)
    if isinstance(answer, Success) and answer.value.complete:
        return answer.value
    raise await _postponed(context, order, answer)


async def _postponed(context: Context, order: Order, answer: Answer[Report]) -> ProviderUnavailable:
    """Note that the provider could not be asked, or has no whole report yet; what to tell about it."""
    if isinstance(answer, Success):
        answer = Unknown("the report is not complete yet")
    async with context.unit_of_work() as work:
        await work.provider_records.add_answer(order.provider, "settlements", order.day.isoformat(), answer, work.now)
    await _give_back(context, order, answer.reason)
    return ProviderUnavailable(
        f"{order.provider} gave no report of {order.day}: {answer.reason}. It is asked again by itself, or try again later.",
        headers={"Retry-After": "60"},
    )


async def _give_back(context: Context, order: Order, reason: str) -> None:
    async with context.unit_of_work() as work:
        await work.settlements.postpone(order.provider, order.day, work.now, reason, (_FIRST_PAUSE, _LONGEST_PAUSE))


async def _compare(work: PaymentsWork, order: Order, report: Report | None, started_at: datetime) -> tuple[Run, bool]:
    if report is not None:
        rows = report.rows
        kept = await work.settlements.keep(order.provider, order.day, rows, report.duplicates, work.now)
    else:
        last = await work.settlements.latest(order.provider, order.day)
        assert last is not None  # noqa: S101 reports are never deleted
        kept, rows = last, tuple(await work.settlements.rows(last.id))
    run, is_new = await compare_day(
        work,
        order.provider,
        order.day,
        kept,
        rows,
        operator_id=order.operator_id,
        started_at=started_at,
        ask=report is not None,
    )
    if order.operator_id is not None:
        subject = f"{order.provider}:{order.day}"
        after = {"run_id": str(run.id), **{verdict.value: count for verdict, count in run.counts.items()}}
        work.publish_action("reconciliation.run", actor=order.operator_id, subject_id=subject, after=after)
    return run, is_new
