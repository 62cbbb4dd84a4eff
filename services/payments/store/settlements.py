"""Providers' settlement reports, and which days are to be compared when."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.payments.domain.reconciliation import ReportRow, digest_of_rows
from services.payments.store.tables import deposits, settlement_days, settlement_reports, settlement_rows, withdrawals
from shared.ids import new_id

_ROWS_AT_ONCE = 2_000


@dataclass(frozen=True)
class KeptReport:
    """A report as it was fetched, or came with a file. Later ones of the same day have a higher number."""

    id: UUID
    number: int
    row_count: int
    duplicate_count: int
    fetched_at: datetime
    file_id: UUID | None = None


class SettlementStore:
    """Reports and days, on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def latest(self, provider: str, day: date) -> KeptReport | None:
        """The last report of a day."""
        row = await self._latest(provider, day)
        return _report(row) if row is not None else None

    async def rows(self, report_id: UUID) -> Sequence[ReportRow]:
        """The rows of a report, in their order."""
        table = settlement_rows
        columns = [table.c[name] for name in _ROW]
        query = sa.select(*columns).where(table.c.report_id == report_id).order_by(table.c.position)
        return [ReportRow(*row) for row in await self._connection.execute(query)]

    async def keep(
        self,
        provider: str,
        day: date,
        rows: Sequence[ReportRow],
        duplicates: int,
        now: datetime,
        file_id: UUID | None = None,
    ) -> KeptReport:
        """Keep a report, unless it says what the last one said; the last one then."""
        digest, last = digest_of_rows(rows), await self._latest(provider, day)
        if last is not None and bytes(last.digest) == digest:
            return _report(last)
        report = KeptReport(new_id(), last.number + 1 if last is not None else 1, len(rows), duplicates, now, file_id)
        await self._connection.execute(
            settlement_reports.insert().values(
                id=report.id,
                provider=provider,
                day=day,
                number=report.number,
                row_count=report.row_count,
                duplicate_count=duplicates,
                digest=digest,
                fetched_at=now,
                file_id=file_id,
            )
        )
        numbered = _numbered(report.id, rows)
        while some := list(islice(numbered, _ROWS_AT_ONCE)):
            await self._connection.execute(settlement_rows.insert(), some)
        return report

    async def _latest(self, provider: str, day: date) -> Any:
        query = sa.select(settlement_reports).where(settlement_reports.c.provider == provider, settlement_reports.c.day == day)
        return (await self._connection.execute(query.order_by(settlement_reports.c.number.desc()).limit(1))).first()

    # Which days.

    async def first_day(self, provider: str) -> date | None:
        """The first day (UTC) on which a deposit or withdrawal through the provider ended."""
        ends = [
            sa.select(sa.func.min(table.c.settled_at)).where(table.c.provider == provider).scalar_subquery()
            for table in (deposits, withdrawals)
        ]
        first: datetime | None = (await self._connection.execute(sa.select(sa.func.least(*ends)))).scalar_one()
        return first.date() if first is not None else None

    async def watch(self, provider: str, days: Sequence[date], now: datetime) -> None:
        """These days are to be compared; those that are known stay as they are."""
        if days:
            rows = [{"provider": provider, "day": day, "next_check_at": now} for day in days]
            await self._connection.execute(insert(settlement_days).values(rows).on_conflict_do_nothing())

    async def due(self, now: datetime, limit: int) -> Sequence[tuple[str, date]]:
        """Days to be compared now, the oldest first."""
        query = (
            sa.select(settlement_days.c.provider, settlement_days.c.day)
            .where(settlement_days.c.next_check_at <= now)
            .order_by(settlement_days.c.day, settlement_days.c.provider)
            .limit(limit)
        )
        return [(row.provider, row.day) for row in await self._connection.execute(query)]

    async def claim(self, provider: str, day: date, now: datetime, until: datetime) -> bool:
        """Take a day for oneself; false while somebody else has it. A claim ends by itself, should its holder die."""
        values = {"provider": provider, "day": day, "claimed_until": until}
        free = sa.func.coalesce(settlement_days.c.claimed_until, now) <= now
        claim = (
            insert(settlement_days)
            .values(values)
            .on_conflict_do_update(constraint="settlement_days_pkey", set_={"claimed_until": until}, where=free)
        )
        return (await self._connection.execute(claim.returning(settlement_days.c.day))).first() is not None

    async def release(self, provider: str, day: date, now: datetime, next_check_at: datetime | None) -> None:
        """The day was compared; when it is to be looked at again, for rows that come late."""
        await self._change(
            provider, day, claimed_until=None, checked_at=now, next_check_at=next_check_at, failures=0, last_error=None
        )

    async def unclaim(self, provider: str, day: date, *, watch_from: datetime | None) -> None:
        """Let go of a day that was compared with something else than the provider's own answer: that is still asked for
        when it was, or, if nobody has yet, at `watch_from`."""
        table = settlement_days
        first = sa.func.coalesce(table.c.next_check_at, sa.literal(watch_from, sa.DateTime(timezone=True)))
        await self._change(
            provider,
            day,
            claimed_until=None,
            next_check_at=sa.case((table.c.checked_at.is_(None), first), else_=table.c.next_check_at),
        )

    async def postpone(self, provider: str, day: date, now: datetime, error: str, pauses: tuple[timedelta, timedelta]) -> None:
        """It could not be compared: again after a pause that doubles each time, from the first of `pauses` to the second."""
        found = sa.select(settlement_days.c.failures).where(settlement_days.c.provider == provider, settlement_days.c.day == day)
        failures: int = (await self._connection.execute(found)).scalar_one()
        pause = min(pauses[0] * 2 ** min(failures, 10), pauses[1])
        await self._change(provider, day, claimed_until=None, next_check_at=now + pause, failures=failures + 1, last_error=error)

    async def _change(self, provider: str, day: date, **values: Any) -> None:
        change = settlement_days.update().where(settlement_days.c.provider == provider, settlement_days.c.day == day)
        await self._connection.execute(change.values(**values))


_ROW = tuple(field.name for field in fields(ReportRow))


def _numbered(report_id: UUID, rows: Sequence[ReportRow]) -> Iterator[dict[str, Any]]:
    for position, row in enumerate(rows):
        yield {
            "report_id": report_id,
            "position": position,
            "provider_row_id": row.provider_row_id,
            "kind": row.kind,
            "reference": row.reference,
            "amount_minor": row.amount_minor,
            "fee_minor": row.fee_minor,
            "currency": row.currency,
            "settled_at": row.settled_at,
        }


def _report(row: Any) -> KeptReport:
    return KeptReport(row.id, row.number, row.row_count, row.duplicate_count, row.fetched_at, row.file_id)
