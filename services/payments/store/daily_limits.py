"""How much somebody may pay in and out a day: our copy of what auth told us of how well it knows them."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.payments.domain.daily_limit import DailyLimit
from services.payments.store.tables import daily_limits, deposits, withdrawals
from shared.contracts.auth.kyc_events import FIRST_DAILY_MAJOR

Direction = Literal["deposits", "withdrawals"]
_GIVEN_UP = ("failed", "expired", "cancelled")


class DailyLimits:
    """Limits and what was used of them, on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def remember(
        self, user_id: UUID, level: int, deposits_major: int | None, withdrawals_major: int | None, changed_at: datetime
    ) -> None:
        """These are the limits, unless something newer is known."""
        values = {
            "level": level,
            "deposits_major": deposits_major,
            "withdrawals_major": withdrawals_major,
            "changed_at": changed_at,
        }
        statement = insert(daily_limits).values(user_id=user_id, **values)
        newer = daily_limits.c.changed_at <= statement.excluded.changed_at
        await self._connection.execute(
            statement.on_conflict_do_update(index_elements=[daily_limits.c.user_id], set_=values, where=newer)
        )

    async def lock(self, user_id: UUID) -> None:
        """Let nobody else count against the person's limits until the end of the transaction."""
        key = sa.func.hashtextextended(f"daily limit {user_id}", 0)
        await self._connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))

    async def find(self, user_id: UUID, direction: Direction, currency: str, now: datetime) -> DailyLimit:
        """The limit in one currency, and what was used of it since midnight (UTC)."""
        column = daily_limits.c[f"{direction}_major"]
        row = (await self._connection.execute(sa.select(column).where(daily_limits.c.user_id == user_id))).one_or_none()
        orders = deposits if direction == "deposits" else withdrawals
        midnight = now - timedelta(hours=now.hour, minutes=now.minute, seconds=now.second, microseconds=now.microsecond)
        used = sa.select(sa.func.coalesce(sa.func.sum(orders.c.amount_minor), 0)).where(
            orders.c.user_id == user_id,
            orders.c.currency == currency,
            orders.c.created_at >= midnight,
            orders.c.status.not_in(_GIVEN_UP),
        )
        used_minor = int((await self._connection.execute(used)).scalar_one())
        return DailyLimit(row[0] if row is not None else FIRST_DAILY_MAJOR, currency, used_minor)
