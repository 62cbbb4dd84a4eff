"""Reads of one account's entries: every read is a range of versions, found by index, whatever the length of the history.

By effective date the order of booking is right but for the *dated* rows: those that count for another day than the one on which
they were booked. They have indexes of their own. A balance by effective date is the balance by booking date and the shift that
the dated rows make, which is kept for days that are over (`day_balances`): only dated rows since then are added up.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.wallet_ledger.domain.journal import Entry

_SIDE = """
SELECT {side}_version AS version, id, '{side}' AS direction, amount_minor, currency,
       {side}_balance_after_minor AS balance_after_minor, kind, description, transaction_sequence, effective_on
FROM transfers
WHERE {side}_account_id = $1 AND {side}_version > $2 AND {side}_version <= $3 AND amount_minor > 0 {further}
ORDER BY {side}_version {order} LIMIT $4
"""
_ENTRIES = """
SELECT e.version, e.id, t.id, e.direction, e.amount_minor, e.currency, e.balance_after_minor, coalesce(e.kind, t.kind),
       coalesce(e.description, t.description), t.reference, t.booked_at, coalesce(e.effective_on, t.effective_on)
FROM (({debit}) UNION ALL ({credit})) AS e
JOIN transactions t ON t.sequence = e.transaction_sequence
ORDER BY e.version {order} LIMIT $4
"""


def _entries(order: str, further: str = "") -> str:
    sides = {side: _SIDE.format(side=side, order=order, further=further) for side in ("debit", "credit")}
    return _ENTRIES.format(**sides, order=order)


_NEWEST_FIRST, _OLDEST_FIRST = _entries("DESC"), _entries("ASC")
_UNDATED = _entries("ASC", "AND effective_on IS NULL")

# Dated rows of days $3 to $4 up to version $2, those after version $6 of day $5, in the order in which they count.
_DATED_SIDE = """
(SELECT {side}_version AS version, id, '{side}' AS direction, amount_minor, currency,
        {side}_balance_after_minor AS balance_after_minor, kind, description, transaction_sequence, effective_on
FROM transfers
WHERE {side}_account_id = $1 AND {side}_version <= $2 AND amount_minor > 0 AND effective_on BETWEEN $3 AND $4
  AND (effective_on, {side}_version) > ($5, $6)
ORDER BY effective_on, {side}_version LIMIT $7)
"""
_DATED = f"""
SELECT e.version, e.id, t.id, e.direction, e.amount_minor, e.currency, e.balance_after_minor, coalesce(e.kind, t.kind),
       coalesce(e.description, t.description), t.reference, t.booked_at, e.effective_on
FROM ({_DATED_SIDE.format(side="debit")} UNION ALL {_DATED_SIDE.format(side="credit")}) AS e
JOIN transactions t ON t.sequence = e.transaction_sequence
ORDER BY e.effective_on, e.version LIMIT $7
"""  # noqa: S608 constants
# What the account had at the end of day $2; no row when that day is not closed.
_END_OF_DAY = """
SELECT coalesce(kept.version, 0), coalesce(kept.balance_minor, 0), coalesce(kept.held_minor, 0)
FROM (
    SELECT (booked_at AT TIME ZONE 'UTC')::date AS day FROM transactions
    WHERE sequence = (SELECT max(last_sequence) + 1 FROM closed_stretches)
) AS closing
LEFT JOIN LATERAL (
    SELECT version, balance_minor, held_minor FROM day_balances WHERE account_id = $1 AND day <= $2 ORDER BY day DESC LIMIT 1
) AS kept ON true
WHERE closing.day > $2
"""
# How far the balance at the end of day $2 by effective date is from the one after version $3, of what is known at version $4: the
# shift that was kept at the last end of a day, and what later dated rows change.
_SHIFT_SIDE = """
SELECT coalesce(sum(CASE WHEN effective_on <= $2 THEN amount_minor ELSE -amount_minor END), 0) AS amount_minor
FROM transfers, closed
WHERE {side}_account_id = $1 AND effective_on IS NOT NULL AND {side}_version > closed.version AND {side}_version <= $4
  AND ((effective_on <= $2 AND {side}_version > $3) OR (effective_on > $2 AND {side}_version <= $3))
"""
_SHIFT = f"""
WITH closed AS (
    SELECT coalesce((
        SELECT version FROM day_balances WHERE account_id = $1 AND version <= $4 ORDER BY day DESC LIMIT 1
    ), 0) AS version
)
SELECT (coalesce((
    SELECT shift_minor FROM effective_shifts, closed
    WHERE account_id = $1 AND day <= $2 AND effective_shifts.version <= closed.version
    ORDER BY day DESC, effective_shifts.version DESC LIMIT 1
), 0) + ({_SHIFT_SIDE.format(side="credit")}) - ({_SHIFT_SIDE.format(side="debit")}))::bigint
"""  # noqa: S608 constants

# The last version that was booked before $2, found by halving between the ends of the days around it: versions have no gaps, and
# booking times never fall.
_VERSION_BEFORE = """
WITH RECURSIVE halves (low, high) AS (
    SELECT coalesce((
               SELECT version FROM day_balances WHERE account_id = $1 AND day < ($2::timestamptz AT TIME ZONE 'UTC')::date
               ORDER BY day DESC LIMIT 1
           ), 0),
           coalesce((
               SELECT version FROM day_balances WHERE account_id = $1 AND day >= ($2::timestamptz AT TIME ZONE 'UTC')::date
               ORDER BY day LIMIT 1
           ), (SELECT version FROM accounts WHERE id = $1))
    UNION ALL
    SELECT CASE WHEN leg.booked_at < $2 THEN leg.version ELSE halves.low END,
           CASE WHEN leg.booked_at < $2 THEN halves.high ELSE leg.version - 1 END
    FROM halves CROSS JOIN LATERAL (
        SELECT x.debit_version AS version, t.booked_at
        FROM transfers x JOIN transactions t ON t.sequence = x.transaction_sequence
        WHERE x.debit_account_id = $1 AND x.debit_version = (halves.low + halves.high + 1) / 2
        UNION ALL
        SELECT x.credit_version, t.booked_at
        FROM transfers x JOIN transactions t ON t.sequence = x.transaction_sequence
        WHERE x.credit_account_id = $1 AND x.credit_version = (halves.low + halves.high + 1) / 2
    ) AS leg
    WHERE halves.low < halves.high
)
SELECT low FROM halves WHERE low >= high
"""
_BALANCE_AFTER = """
SELECT debit_balance_after_minor FROM transfers WHERE debit_account_id = $1 AND debit_version = $2
UNION ALL
SELECT credit_balance_after_minor FROM transfers WHERE credit_account_id = $1 AND credit_version = $2
"""
_HELD_AFTER = """
SELECT debit_pending_after_minor FROM transfers WHERE debit_account_id = $1 AND debit_version <= $2
ORDER BY debit_version DESC LIMIT 1
"""


class EntryStore:
    """The entries of accounts, on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def newest(self, account_id: int, before: int, limit: int) -> Sequence[Entry]:
        """Entries below version `before`, newest first."""
        rows = await self._connection.exec_driver_sql(_NEWEST_FIRST, (account_id, 0, before - 1, limit))
        return [_entry(row) for row in rows]

    async def oldest(self, account_id: int, after: int, up_to: int, limit: int) -> Sequence[Entry]:
        """Entries above version `after` and not above `up_to`, oldest first."""
        rows = await self._connection.exec_driver_sql(_OLDEST_FIRST, (account_id, after, up_to, limit))
        return [_entry(row) for row in rows]

    async def undated(self, account_id: int, after: int, up_to: int, limit: int) -> Sequence[Entry]:
        """Like `oldest`, without the entries that count for another day than that of their booking."""
        rows = await self._connection.exec_driver_sql(_UNDATED, (account_id, after, up_to, limit))
        return [_entry(row) for row in rows]

    async def dated(
        self, account_id: int, known: int, days: tuple[date, date], after: tuple[date, int], limit: int
    ) -> Sequence[Entry]:
        """Entries that count for one of `days`, both included, but were booked on another; in the order of day and version.

        Those after (day, version) `after`, up to version `known`.
        """
        rows = await self._connection.exec_driver_sql(_DATED, (account_id, known, *days, *after, limit))
        return [_entry(row) for row in rows]

    async def effective_shift(self, account_id: int, day: date, version: int, known: int) -> int:
        """What to add to the balance after `version`, the last one booked by the end of `day`, to have it by effective date.

        Minor units; of what had been booked up to version `known`.
        """
        found = await self._connection.exec_driver_sql(_SHIFT, (account_id, day, version, known))
        return int(found.scalar_one())

    async def last_version(self, account_id: int) -> int:
        """The account's version now."""
        found = await self._connection.exec_driver_sql("SELECT version FROM accounts WHERE id = $1", (account_id,))
        return int(found.scalar_one())

    async def end_of_day(self, account_id: int, day: date) -> tuple[int, int, int] | None:
        """Version, balance and held money at the end of `day`; None when it is not closed yet. Minor units."""
        row: Any = (await self._connection.exec_driver_sql(_END_OF_DAY, (account_id, day))).first()
        return (row[0], row[1], row[2]) if row is not None else None

    async def version_before(self, account_id: int, instant: datetime) -> int:
        """The account's version just before `instant`; 0 when it had none yet."""
        found = await self._connection.exec_driver_sql(_VERSION_BEFORE, (account_id, instant))
        return int(found.scalar_one())

    async def balance_after(self, account_id: int, version: int) -> tuple[int, int]:
        """What the account had after its row number `version`, and how much of it was held; minor units."""
        balance = (await self._connection.exec_driver_sql(_BALANCE_AFTER, (account_id, version))).scalar()
        held = (await self._connection.exec_driver_sql(_HELD_AFTER, (account_id, version))).scalar()
        return balance or 0, held or 0


def _entry(row: Any) -> Entry:
    return Entry(*row)
