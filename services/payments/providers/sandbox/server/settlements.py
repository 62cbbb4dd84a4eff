"""What the provider settled on a day (UTC): payments made and payouts paid, oldest first. It takes no fees."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.payments.providers.sandbox.server.problems import WrongCursor
from services.payments.providers.sandbox.server.tables import payments, payouts

_SEPARATOR = " "


@dataclass(frozen=True)
class Settlement:
    """One row of the report."""

    id: UUID
    type: str
    reference: str
    amount_minor: int
    currency: str
    settled_at: datetime


@dataclass(frozen=True)
class Page:
    """Some rows, how many the day has, and where the next page begins."""

    rows: Sequence[Settlement]
    total_rows: int
    next_cursor: str | None


async def page_of(connection: AsyncConnection, day: date, cursor: str | None, limit: int) -> Page:
    """Rows of a day from `cursor` on. Raises `WrongCursor`."""
    settled = _settled(day).subquery()
    total = (await connection.execute(sa.select(sa.func.count()).select_from(settled))).scalar_one()
    query = sa.select(settled).order_by(settled.c.settled_at, settled.c.id).limit(limit + 1)
    if cursor is not None:
        query = query.where(sa.tuple_(settled.c.settled_at, settled.c.id) > sa.tuple_(*_read(cursor)))
    rows = [Settlement(**row) for row in (await connection.execute(query)).mappings()]
    return Page(rows[:limit], total, _write(rows[limit - 1]) if len(rows) > limit else None)


def _settled(day: date) -> sa.CompoundSelect[tuple[object, ...]]:
    begin = datetime.combine(day, time(), UTC)
    end = begin + timedelta(days=1)

    def of(table: sa.Table, kind: str, settled_at: sa.Column[datetime]) -> sa.Select[tuple[object, ...]]:
        return sa.select(
            table.c.id,
            sa.literal(kind).label("type"),
            table.c.reference,
            table.c.amount_minor,
            table.c.currency,
            settled_at.label("settled_at"),
        ).where(table.c.status == "succeeded", settled_at >= begin, settled_at < end)

    return sa.union_all(of(payments, "payment", payments.c.decided_at), of(payouts, "payout", payouts.c.settled_at))


def _write(row: Settlement) -> str:
    return base64.urlsafe_b64encode(f"{row.settled_at.isoformat()}{_SEPARATOR}{row.id}".encode()).decode()


def _read(cursor: str) -> tuple[datetime, UUID]:
    try:
        settled_at, _, row_id = base64.urlsafe_b64decode(cursor.encode("ascii")).decode().partition(_SEPARATOR)
        return datetime.fromisoformat(settled_at), UUID(row_id)
    except (ValueError, binascii.Error) as error:
        raise WrongCursor("Take `next_cursor` of the page before as it is.") from error
