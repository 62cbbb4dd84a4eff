"""Trial balances at points of the journal: kept now and then, so that the one at any instant adds up a short stretch only."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.wallet_ledger.domain.journal import TrialBalanceLine
from services.wallet_ledger.store.blocks import BlockStore
from services.wallet_ledger.store.journal import SEQUENCE_AT

_LAST_POINT = "SELECT coalesce(max(sequence), 0) FROM trial_balances WHERE sequence <= $1"
_LAST_TRANSACTION = "SELECT coalesce(max(sequence), 0) FROM transactions"
_BOOKED_AT = "SELECT booked_at FROM transactions WHERE sequence = $1"
# What the transactions after $1 up to $2 did, by account.
MOVED = """
SELECT a.currency, split_part(a.address, ':', 1) COLLATE "C" AS kind, moved.opened, moved.debits_minor, moved.credits_minor,
       moved.pending_debits_minor, moved.pending_credits_minor
FROM (
    SELECT account_id, sum(opened) AS opened, sum(debit_minor) AS debits_minor, sum(credit_minor) AS credits_minor,
           sum(pending_debit_minor) AS pending_debits_minor, sum(pending_credit_minor) AS pending_credits_minor
    FROM (
        SELECT debit_account_id AS account_id, (debit_version = 1)::integer AS opened, amount_minor AS debit_minor,
               0 AS credit_minor, pending_minor AS pending_debit_minor, 0 AS pending_credit_minor
        FROM transfers WHERE transaction_sequence > $1::bigint AND transaction_sequence <= $2::bigint
        UNION ALL
        SELECT credit_account_id, (credit_version = 1)::integer, 0, amount_minor, 0, pending_minor
        FROM transfers WHERE transaction_sequence > $1::bigint AND transaction_sequence <= $2::bigint
    ) AS legs GROUP BY account_id
) AS moved JOIN accounts a ON a.id = moved.account_id
"""
# The lines kept at transaction $1, and what followed up to $2.
_LINES = f"""
SELECT currency, kind, sum(accounts), sum(debits_minor), sum(credits_minor), sum(pending_debits_minor), sum(pending_credits_minor)
FROM (
    SELECT currency, kind, accounts, debits_minor, credits_minor, pending_debits_minor, pending_credits_minor
    FROM trial_balances WHERE sequence = $1::bigint
    UNION ALL {MOVED}
) AS lines GROUP BY currency, kind
"""  # noqa: S608 constants
_ADD = f"""
INSERT INTO trial_balances (
    sequence, currency, kind, accounts, debits_minor, credits_minor, pending_debits_minor, pending_credits_minor
) SELECT $2::bigint, lines.* FROM ({_LINES}) AS lines
"""  # noqa: S608 constants


class TrialBalances:
    """Kept trial balances, on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def at(self, instant: datetime) -> Sequence[TrialBalanceLine]:
        """What everything booked before `instant` adds up to, by currency and kind of account."""
        return await self.after_transaction(await self._number(SEQUENCE_AT, instant) - 1)

    async def after_transaction(self, sequence: int) -> Sequence[TrialBalanceLine]:
        """What everything up to and including transaction `sequence` adds up to."""
        point = await self._number(_LAST_POINT, sequence)
        rows = await self._connection.exec_driver_sql(f"{_LINES} ORDER BY currency, kind", (point, sequence))
        return [_line(row) for row in rows]

    async def next_point(self, now: datetime, empty_until: int, *, transactions: int, transfers: int) -> tuple[int, int] | None:
        """The last point and the one to keep next: a day's end, or so many transactions or transfers on. None: not yet.

        Up to transaction `empty_until` nothing has moved, so that there is nothing to keep.
        """
        last = await self._number(_LAST_TRANSACTION)
        after = max(empty_until, await self._number(_LAST_POINT, last))
        end = await BlockStore(self._connection).next_end(after, transactions=transactions, transfers=transfers)
        if end is None:
            return None
        booked_at = (await self._connection.exec_driver_sql(_BOOKED_AT, (after + 1,))).scalar_one()
        midnight = datetime.combine(booked_at.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
        if now >= midnight:
            return after, min(end, await self._number(SEQUENCE_AT, midnight) - 1)
        return (after, end) if end < last else None

    async def add(self, after: int, sequence: int) -> int:
        """Keep the trial balance of transaction `sequence`, from that of `after`; how many lines it has."""
        return (await self._connection.exec_driver_sql(_ADD, (after, sequence))).rowcount

    async def _number(self, query: str, *values: object) -> int:
        return int((await self._connection.exec_driver_sql(query, tuple(values))).scalar_one())


def _line(row: Any) -> TrialBalanceLine:
    return TrialBalanceLine(row[0], row[1], *(int(value) for value in row[2:]))
