"""What accounts had at the end of each day: kept when the day is over, so that a read of the past is one probe of an index.

The journal is taken in stretches that end where a day ends. A day is over when something is booked on a later one: booking
times never fall, so nothing can be booked on it any more.

By effective date a balance differs from that by booking date because of the *dated* rows, which count for another day than
their own. A dated row of `amount` booked on day b that counts for day e shifts the balances from e on by `amount`, and from b on
back again. These shifts are kept, too, as they are known after each stretch: where nothing is dated there are none.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from services.wallet_ledger.store.blocks import BlockStore
from services.wallet_ledger.store.journal import SEQUENCE_AT

# Every statement is about few rows of long tables; statistics of when they were short must not lead it astray.
_BY_INDEX = "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
_CLOSED_UP_TO = "SELECT coalesce(max(last_sequence), 0) FROM closed_stretches"
_LAST_TRANSACTION = "SELECT coalesce(max(sequence), 0) FROM transactions"
_BOOKED_AT = "SELECT booked_at FROM transactions WHERE sequence = $1"

# Accounts that transactions after $1 up to $2 touch, and that no later one up to $4, the last of day $3, does.
_ADD_BALANCES = """
INSERT INTO day_balances (account_id, day, version, balance_minor, held_minor)
SELECT touched.account_id, $3::date, touched.version, last.balance_minor, coalesce((
    SELECT x.debit_pending_after_minor FROM transfers x
    WHERE x.debit_account_id = touched.account_id AND x.debit_version <= touched.version ORDER BY x.debit_version DESC LIMIT 1
), 0)
FROM (
    SELECT account_id, max(version) AS version FROM (
        SELECT debit_account_id AS account_id, debit_version AS version
        FROM transfers WHERE transaction_sequence > $1 AND transaction_sequence <= $2
        UNION ALL
        SELECT credit_account_id, credit_version
        FROM transfers WHERE transaction_sequence > $1 AND transaction_sequence <= $2
    ) AS legs GROUP BY account_id
) AS touched CROSS JOIN LATERAL (
    SELECT x.debit_balance_after_minor AS balance_minor
    FROM transfers x WHERE x.debit_account_id = touched.account_id AND x.debit_version = touched.version
    UNION ALL
    SELECT x.credit_balance_after_minor
    FROM transfers x WHERE x.credit_account_id = touched.account_id AND x.credit_version = touched.version
) AS last
WHERE NOT EXISTS (
    SELECT 1 FROM transfers x
    WHERE x.debit_account_id = touched.account_id AND x.debit_version = touched.version + 1 AND x.transaction_sequence <= $4
) AND NOT EXISTS (
    SELECT 1 FROM transfers x
    WHERE x.credit_account_id = touched.account_id AND x.credit_version = touched.version + 1 AND x.transaction_sequence <= $4
)
"""
# What the dated rows of transactions after $1 up to $2, all of day $3, change: at each day on which a shift begins or ends, and
# at those in between for which one was kept before.
_ADD_SHIFTS = """
WITH dated AS (
    SELECT debit_account_id AS account_id, debit_version AS version, effective_on, -amount_minor AS amount_minor
    FROM transfers
    WHERE transaction_sequence > $1 AND transaction_sequence <= $2 AND effective_on IS NOT NULL AND amount_minor > 0
    UNION ALL
    SELECT credit_account_id, credit_version, effective_on, amount_minor
    FROM transfers
    WHERE transaction_sequence > $1 AND transaction_sequence <= $2 AND effective_on IS NOT NULL AND amount_minor > 0
), accounts_of AS (
    SELECT account_id, max(version) AS version, least(min(effective_on), $3::date) AS first_day,
           greatest(max(effective_on), $3::date) AS last_day
    FROM dated GROUP BY account_id
), steps AS (
    SELECT account_id, effective_on AS day, amount_minor AS step_minor FROM dated
    UNION ALL
    SELECT account_id, $3::date, -amount_minor FROM dated
    UNION ALL
    SELECT a.account_id, s.day, 0 FROM accounts_of a
    JOIN effective_shifts s ON s.account_id = a.account_id AND s.day > a.first_day AND s.day < a.last_day
), days AS (
    SELECT account_id, day, sum(sum(step_minor)) OVER (PARTITION BY account_id ORDER BY day) AS change_minor
    FROM steps GROUP BY account_id, day
)
INSERT INTO effective_shifts (account_id, day, version, shift_minor)
SELECT a.account_id, days.day, a.version, (days.change_minor + coalesce((
    SELECT s.shift_minor FROM effective_shifts s WHERE s.account_id = a.account_id AND s.day <= days.day
    ORDER BY s.day DESC, s.version DESC LIMIT 1
), 0))::bigint
FROM accounts_of a JOIN days ON days.account_id = a.account_id
"""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Transactions after `after` up to `end`, all booked on `day`, whose last one is `end_of_day`."""

    after: int
    end: int
    day: date
    end_of_day: int


class DayBalances:
    """Ends of days, on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def next_stretch(self, *, transactions: int, transfers: int) -> Stretch | None:
        """What to take in next; None when the day it would be of is not over."""
        after, last = await self._number(_CLOSED_UP_TO), await self._number(_LAST_TRANSACTION)
        if after >= last:
            return None
        booked_at = (await self._connection.exec_driver_sql(_BOOKED_AT, (after + 1,))).scalar_one()
        day = booked_at.astimezone(UTC).date()
        end_of_day = await self._number(SEQUENCE_AT, datetime.combine(day + timedelta(days=1), time(), UTC)) - 1
        if end_of_day >= last:
            return None
        end = await BlockStore(self._connection).next_end(after, transactions=transactions, transfers=transfers)
        return Stretch(after, min(end or end_of_day, end_of_day), day, end_of_day)

    async def add(self, stretch: Stretch) -> None:
        """Keep what a stretch makes known. Of two processes that try the same, one fails and has done nothing."""
        for setting in _BY_INDEX.split("; "):
            await self._connection.exec_driver_sql(setting)
        row = "INSERT INTO closed_stretches (last_sequence, day) VALUES ($1, $2)"
        await self._connection.exec_driver_sql(row, (stretch.end, stretch.day))
        values = (stretch.after, stretch.end, stretch.day)
        await self._connection.exec_driver_sql(_ADD_BALANCES, (*values, stretch.end_of_day))
        await self._connection.exec_driver_sql(_ADD_SHIFTS, values)

    async def _number(self, query: str, *values: object) -> int:
        return int((await self._connection.exec_driver_sql(query, tuple(values))).scalar_one())
