"""Kept comparisons of a provider's days. Only ever added to."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.payments.domain.reconciliation import (
    Booking,
    Item,
    ReportRow,
    Totals,
    Verdict,
    counts_of,
    digest_of_items,
    totals_of,
)
from services.payments.store.settlements import KeptReport
from services.payments.store.tables import reconciliation_items, reconciliation_runs, settlement_reports
from shared.ids import new_id

_ROWS_AT_ONCE = 1_000


@dataclass(frozen=True)
class Run:
    """One comparison. Without `started_by` it ran by itself; `counts` has every verdict."""

    id: UUID
    provider: str
    day: date
    report: KeptReport
    started_by: UUID | None
    started_at: datetime
    finished_at: datetime
    counts: dict[Verdict, int]
    totals: list[Totals]

    @property
    def balanced(self) -> bool:
        """Whether both sides say the same."""
        return not any(count for verdict, count in self.counts.items() if verdict is not Verdict.MATCHED)


class ReconciliationStore:
    """Runs, on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def keep(
        self,
        provider: str,
        day: date,
        report: KeptReport,
        items: Sequence[Item],
        *,
        started_by: UUID | None,
        started_at: datetime,
        now: datetime,
    ) -> tuple[Run, bool]:
        """Keep what was found, unless it is what the last run of the day has found; that one then, and false."""
        digest = digest_of_items(items)
        last = await self._last(provider, day)
        if last is not None and bytes(last.digest) == digest and last.report_id == report.id:
            return _run(last), False
        run = Run(new_id(), provider, day, report, started_by, started_at, now, counts_of(items), totals_of(items))
        await self._connection.execute(
            reconciliation_runs.insert().values(
                id=run.id,
                provider=provider,
                day=day,
                report_id=report.id,
                started_by=started_by,
                started_at=started_at,
                finished_at=now,
                digest=digest,
                totals=[asdict(one) for one in run.totals],
                **{verdict.value: count for verdict, count in run.counts.items()},
            )
        )
        rows = _rows(run.id, items)
        while some := list(islice(rows, _ROWS_AT_ONCE)):
            await self._connection.execute(reconciliation_items.insert(), some)
        return run, True

    async def last(self, provider: str, day: date) -> Run | None:
        """The last run of a day."""
        row = await self._last(provider, day)
        return _run(row) if row is not None else None

    async def find(self, run_id: UUID) -> Run | None:
        """One run."""
        row = (await self._connection.execute(_SELECT.where(reconciliation_runs.c.id == run_id))).first()
        return _run(row) if row is not None else None

    async def items(self, run_id: UUID, verdict: Verdict, after: int, limit: int) -> Sequence[tuple[int, Item]]:
        """Items of a verdict with their positions, in their order, from the one after position `after` on."""
        table = reconciliation_items
        query = sa.select(table).where(table.c.run_id == run_id, table.c.verdict == verdict.value, table.c.position > after)
        rows = await self._connection.execute(query.order_by(table.c.position).limit(limit))
        return [(row.position, _item(row)) for row in rows]

    async def _last(self, provider: str, day: date) -> Any:
        query = _SELECT.where(reconciliation_runs.c.provider == provider, reconciliation_runs.c.day == day)
        return (await self._connection.execute(query.order_by(reconciliation_runs.c.id.desc()).limit(1))).first()


_SELECT = sa.select(
    reconciliation_runs,
    settlement_reports.c.number,
    settlement_reports.c.row_count,
    settlement_reports.c.duplicate_count,
    settlement_reports.c.fetched_at,
    settlement_reports.c.file_id,
).join_from(reconciliation_runs, settlement_reports, settlement_reports.c.id == reconciliation_runs.c.report_id)


def _run(row: Any) -> Run:
    report = KeptReport(row.report_id, row.number, row.row_count, row.duplicate_count, row.fetched_at, row.file_id)
    counts = {verdict: getattr(row, verdict.value) for verdict in Verdict}
    totals = [Totals(**one) for one in row.totals]
    return Run(row.id, row.provider, row.day, report, row.started_by, row.started_at, row.finished_at, counts, totals)


def _rows(run_id: UUID, items: Sequence[Item]) -> Iterator[dict[str, Any]]:
    positions: dict[Verdict, int] = defaultdict(int)
    for item in items:
        row, booking = item.row, item.booking
        yield {
            "run_id": run_id,
            "verdict": item.verdict.value,
            "position": positions[item.verdict],
            "why": item.why,
            "kind": item.kind,
            "reference": item.reference,
            "provider_row_id": row.provider_row_id if row else None,
            "provider_amount_minor": row.amount_minor if row else None,
            "provider_fee_minor": row.fee_minor if row else None,
            "provider_currency": row.currency if row else None,
            "settled_at": row.settled_at if row else None,
            "booking_id": booking.id if booking else None,
            "booking_status": booking.status if booking else None,
            "booked_amount_minor": booking.amount_minor if booking else None,
            "booked_currency": booking.currency if booking else None,
            "booked_at": booking.booked_at if booking else None,
        }
        positions[item.verdict] += 1


def _item(row: Any) -> Item:
    reported = (
        ReportRow(
            row.provider_row_id,
            row.kind,
            row.reference,
            row.provider_amount_minor,
            row.provider_fee_minor,
            row.provider_currency,
            row.settled_at,
        )
        if row.provider_row_id is not None
        else None
    )
    booking = (
        Booking(
            row.booking_id,
            row.kind,
            row.reference,
            row.booked_amount_minor,
            row.booked_currency,
            row.booking_status,
            booked=row.verdict in ("matched", "missing"),
            booked_at=row.booked_at,
        )
        if row.booking_id is not None
        else None
    )
    return Item(Verdict(row.verdict), row.why, reported, booking)
