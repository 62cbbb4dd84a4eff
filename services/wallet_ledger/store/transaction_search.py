"""Operators' search of the journal: newest first, a stretch at a time, so that an answer never takes long.

What narrows most leads the way: a reference has an index, an account has its versions, and anything else is looked for in the
journal itself. No index serves searching alone: each would be paid for with every posting.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.wallet_ledger.domain.journal import JournalTransaction
from services.wallet_ledger.store.journal import SEQUENCE_AT, TRANSACTION, transaction_of

_FIRST_STRETCH, _LONGEST_STRETCH = 2_000, 64_000
_ENOUGH_SECONDS = 0.5

# The last version of account $1 in a transaction before $2, found by halving: both only grow.
_VERSION_BEFORE = """
WITH RECURSIVE halves (low, high) AS (
    SELECT 0::bigint, (SELECT version FROM accounts WHERE id = $1)
    UNION ALL
    SELECT CASE WHEN leg.sequence < $2 THEN leg.version ELSE halves.low END,
           CASE WHEN leg.sequence < $2 THEN halves.high ELSE leg.version - 1 END
    FROM halves CROSS JOIN LATERAL (
        SELECT debit_version AS version, transaction_sequence AS sequence
        FROM transfers WHERE debit_account_id = $1 AND debit_version = (halves.low + halves.high + 1) / 2
        UNION ALL
        SELECT credit_version, transaction_sequence
        FROM transfers WHERE credit_account_id = $1 AND credit_version = (halves.low + halves.high + 1) / 2
    ) AS leg
    WHERE halves.low < halves.high
)
SELECT low FROM halves WHERE low >= high
"""
_SEQUENCE_OF_VERSION = """
SELECT transaction_sequence FROM transfers WHERE debit_account_id = $1 AND debit_version = $2
UNION ALL
SELECT transaction_sequence FROM transfers WHERE credit_account_id = $1 AND credit_version = $2
"""
_LEGS = """
t.sequence IN (
    SELECT transaction_sequence FROM transfers x
    WHERE debit_account_id = {account} AND debit_version > {after} AND debit_version <= {up_to} {amount}
    UNION ALL
    SELECT transaction_sequence FROM transfers x
    WHERE credit_account_id = {account} AND credit_version > {after} AND credit_version <= {up_to} {amount}
)
"""
_HAS = "EXISTS (SELECT 1 FROM transfers x WHERE x.transaction_sequence = t.sequence {account} {amount})"


@dataclass(frozen=True, slots=True)
class Search:
    """What an operator looks for; None means any. Amounts are of single postings (the account's own), in minor units."""

    account: str | None = None
    kind: str | None = None
    reference: str | None = None
    status: str | None = None
    from_instant: datetime | None = None
    to_instant: datetime | None = None
    minimum_minor: int | None = None
    maximum_minor: int | None = None

    @property
    def by_amount(self) -> bool:
        """Whether amounts count."""
        return self.minimum_minor is not None or self.maximum_minor is not None


@dataclass(frozen=True, slots=True)
class Found:
    """Transactions, newest first. Where the search stopped before the end, it goes on before sequence `goes_on_before`."""

    transactions: Sequence[JournalTransaction]
    goes_on_before: int | None = None


class TransactionSearch:
    """Searches on one connection."""

    def __init__(self, connection: AsyncConnection, *, enough_seconds: float = _ENOUGH_SECONDS) -> None:
        self._connection = connection
        self._enough_seconds = enough_seconds

    async def find(self, search: Search, before: int | None, limit: int) -> Found:
        """Transactions before sequence `before` that match; fewer than `limit` once it has taken long enough."""
        first = await self._number(SEQUENCE_AT, search.from_instant) if search.from_instant is not None else 1
        end = await self._number("SELECT coalesce(max(sequence), 0) + 1 FROM transactions")
        if search.to_instant is not None:
            end = min(end, await self._number(SEQUENCE_AT, search.to_instant))
        end = min(end, before) if before is not None else end
        account_id = None
        if search.account is not None:
            query = "SELECT id FROM accounts WHERE address = $1"
            account_id = (await self._connection.exec_driver_sql(query, (search.account,))).scalar()
            if account_id is None:
                return Found([])
        if search.reference is not None:
            return Found(await self._stretch(search, first, end, limit, account_id))
        if account_id is not None:
            return await self._along_account(search, first, end, limit, account_id)
        return await self._along_journal(search, first, end, limit)

    async def _along_journal(self, search: Search, first: int, end: int, limit: int) -> Found:
        found: list[JournalTransaction] = []
        started, length = time.monotonic(), _FIRST_STRETCH
        while end > first:
            begin = max(first, end - length)
            found += await self._stretch(search, begin, end, limit - len(found), None)
            if len(found) == limit:
                return Found(found)
            end, length = begin, min(2 * length, _LONGEST_STRETCH)
            if end > first and time.monotonic() - started > self._enough_seconds:
                return Found(found, end)
        return Found(found)

    async def _along_account(self, search: Search, first: int, end: int, limit: int, account_id: int) -> Found:
        found: list[JournalTransaction] = []
        started, length = time.monotonic(), _FIRST_STRETCH
        lowest = await self._number(_VERSION_BEFORE, account_id, first)
        version = await self._number(_VERSION_BEFORE, account_id, end)
        while version > lowest:
            # Down to where a transaction begins, so that each is looked at once with all its rows of the account.
            begin = await self._number(_SEQUENCE_OF_VERSION, account_id, max(lowest, version - length) + 1)
            after = await self._number(_VERSION_BEFORE, account_id, begin)
            found += await self._stretch(search, first, end, limit - len(found), account_id, (after, version))
            if len(found) == limit:
                return Found(found)
            end, version, length = begin, after, min(2 * length, _LONGEST_STRETCH)
            if version > lowest and time.monotonic() - started > self._enough_seconds:
                return Found(found, end)
        return Found(found)

    async def _stretch(
        self, search: Search, first: int, end: int, limit: int, account_id: int | None, versions: tuple[int, int] | None = None
    ) -> Sequence[JournalTransaction]:
        values: list[Any] = [first, end, limit]

        def value(one: Any) -> str:
            values.append(one)
            return f"${len(values)}"

        conditions = ["t.sequence >= $1", "t.sequence < $2"]
        for column, wanted in (("kind", search.kind), ("reference", search.reference), ("status", search.status)):
            if wanted is not None:
                conditions.append(f"t.{column} = {value(wanted)}")
        amount = ""
        if search.by_amount:
            low, high = value(search.minimum_minor or 1), value(search.maximum_minor or 2**63 - 1)
            amount = f"AND x.amount_minor BETWEEN {low} AND {high}"
        if account_id is not None and versions is not None:
            after, up_to = (value(version) for version in versions)
            conditions.append(_LEGS.format(account=value(account_id), after=after, up_to=up_to, amount=amount))
        elif account_id is not None or amount:
            one = value(account_id) if account_id is not None else ""
            account = f"AND {one} IN (x.debit_account_id, x.credit_account_id)" if one else ""
            conditions.append(_HAS.format(account=account, amount=amount))
        query = f"{TRANSACTION} WHERE {' AND '.join(conditions)} ORDER BY t.sequence DESC LIMIT $3"
        rows = await self._connection.exec_driver_sql(query, tuple(values))
        return [transaction_of(row) for row in rows]

    async def _number(self, query: str, *values: object) -> int:
        return int((await self._connection.exec_driver_sql(query, tuple(values))).scalar_one())
