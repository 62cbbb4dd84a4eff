"""Our side of a provider's day: what was booked, what other reports say, and what the ledger moved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.payments.domain.reconciliation import Booking, Facts, Key, Kind, ReportRow
from services.payments.sagas.deposit import NOT_CREDITED_CODE
from services.payments.store.tables import deposits, provider_movements, settlement_reports, settlement_rows, withdrawals
from shared.contracts.wallet_ledger.account_events import ProviderAccountMoved

_AT_ONCE = 10_000
_US = "payments"

# Money of a deposit whose wallet could not take it was booked into suspense, unless the ledger refused even that.
_DEPOSIT_BOOKED = deposits.c.status.in_(("succeeded", "refunded")) | (
    (deposits.c.status == "failed")
    & (deposits.c.failure_code == NOT_CREDITED_CODE)
    & sa.exists().where(provider_movements.c.reference == sa.literal("deposit:") + sa.cast(deposits.c.id, sa.Text))
)
_WITHDRAWAL_BOOKED = withdrawals.c.status == "completed"


def _select(table: sa.Table, kind: Kind, booked: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(
        table.c.id,
        sa.literal(kind).label("kind"),
        table.c.reference,
        table.c.amount_minor,
        table.c.currency,
        table.c.status,
        booked.label("booked"),
        table.c.settled_at,
    )


_SIDES: tuple[tuple[sa.Table, sa.Select[Any]], ...] = (
    (deposits, _select(deposits, "payment", _DEPOSIT_BOOKED)),
    (withdrawals, _select(withdrawals, "payout", _WITHDRAWAL_BOOKED)),
)


@dataclass(frozen=True)
class Movement:
    """What one transaction of the ledger moved of a provider's account."""

    transaction_id: UUID
    account: str
    currency: str
    debit_minor: int
    credit_minor: int
    kind: str
    reference: str | None
    requested_by: str
    booked_at: datetime


def bounds(day: date) -> tuple[datetime, datetime]:
    """The day (UTC): from its midnight on, before the next."""
    begin = datetime.combine(day, time(), UTC)
    return begin, begin + timedelta(days=1)


class Bookings:
    """Our side, on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def facts(self, provider: str, day: date, rows: Sequence[ReportRow]) -> Facts:
        """Everything that `rows`, the report of a day, is compared with."""
        of_the_day = await self._of_the_day(provider, day)
        references = sorted({row.reference for row in rows} | {booking.reference for booking in of_the_day})
        named: dict[Key, Booking] = {}
        days: dict[Key, date] = {}
        for begin in range(0, len(references), _AT_ONCE):
            some = references[begin : begin + _AT_ONCE]
            named |= await self._named(provider, some)
            days |= await self._first_reported(provider, day, some)
        before = {key for key, reported in days.items() if reported < day}
        return Facts(rows, named, of_the_day, before, days.keys())

    async def _of_the_day(self, provider: str, day: date) -> list[Booking]:
        begin, end = bounds(day)
        found: list[Booking] = []
        for table, query in _SIDES:
            mine = query.where(table.c.provider == provider, table.c.settled_at >= begin, table.c.settled_at < end)
            rows = await self._connection.execute(mine.order_by(table.c.settled_at, table.c.id))
            found += [Booking(*row) for row in rows]
        return [booking for booking in found if booking.booked]

    async def _named(self, provider: str, references: Sequence[str]) -> Mapping[Key, Booking]:
        found: dict[Key, Booking] = {}
        for table, query in _SIDES:
            rows = await self._connection.execute(query.where(table.c.provider == provider, table.c.reference.in_(references)))
            found |= {booking.key: booking for booking in (Booking(*row) for row in rows)}
        return found

    async def _first_reported(self, provider: str, but: date, references: Sequence[str]) -> dict[Key, date]:
        """On which other day, by its last report, each of `references` was first reported."""
        reports = settlement_reports
        newest = (
            sa.select(reports.c.day, sa.func.max(reports.c.number).label("number"))
            .where(reports.c.provider == provider, reports.c.day != but)
            .group_by(reports.c.day)
            .subquery()
        )
        last = (
            sa.select(reports.c.id, reports.c.day)
            .join_from(reports, newest, (reports.c.day == newest.c.day) & (reports.c.number == newest.c.number))
            .where(reports.c.provider == provider)
            .subquery()
        )
        rows = await self._connection.execute(
            sa.select(settlement_rows.c.kind, settlement_rows.c.reference, sa.func.min(last.c.day).label("day"))
            .join_from(settlement_rows, last, last.c.id == settlement_rows.c.report_id)
            .where(settlement_rows.c.reference.in_(references))
            .group_by(settlement_rows.c.kind, settlement_rows.c.reference)
        )
        return {(row.kind, row.reference): row.day for row in rows}

    # What the ledger moved.

    async def remember(self, moved: ProviderAccountMoved) -> None:
        """Keep a movement; one that is known stays as it is."""
        values = moved.model_dump(exclude={"sequence"})
        await self._connection.execute(insert(provider_movements).values(values).on_conflict_do_nothing())

    async def moved(self, provider: str, day: date) -> Sequence[tuple[str, int, int]]:
        """What the ledger booked on a day, as far as it was told: currency, debits and credits in minor units."""
        table = provider_movements
        sums = (sa.func.sum(table.c.debit_minor), sa.func.sum(table.c.credit_minor))
        query = sa.select(table.c.currency, *sums).where(*_on(provider, day)).group_by(table.c.currency)
        return [(row[0], int(row[1]), int(row[2])) for row in await self._connection.execute(query.order_by(table.c.currency))]

    async def moved_by_others(self, provider: str, day: date, limit: int) -> Sequence[Movement]:
        """What of that no deposit or withdrawal of ours has asked for, in its order."""
        table = provider_movements
        query = (
            sa.select(*(column for column in table.c if column.name != "provider"))
            .where(*_on(provider, day), table.c.requested_by != _US)
            .order_by(table.c.booked_at, table.c.transaction_id)
            .limit(limit)
        )
        return [Movement(**row) for row in (await self._connection.execute(query)).mappings()]

    async def unmoved(self, references: Sequence[str]) -> Sequence[str]:
        """Those of `references` (such as deposit:…) of which the ledger has told no movement."""
        table, known = provider_movements, set[str]()
        for begin in range(0, len(references), _AT_ONCE):
            some = references[begin : begin + _AT_ONCE]
            rows = await self._connection.execute(sa.select(table.c.reference).where(table.c.reference.in_(some)).distinct())
            known.update(rows.scalars())
        return [reference for reference in references if reference not in known]


def _on(provider: str, day: date) -> tuple[sa.ColumnElement[bool], ...]:
    begin, end = bounds(day)
    table = provider_movements
    return table.c.provider == provider, table.c.booked_at >= begin, table.c.booked_at < end
