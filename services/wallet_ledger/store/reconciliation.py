"""Compares every balance with all of its entries, on one snapshot, and keeps the runs.

This is the full pass; the nights in between go on from the last run (`reconciliation_since`). Both share nothing with posting
or with `verify`: totals are added up anew from the rows of the journal.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.wallet_ledger.domain.journal import TrialBalanceLine
from services.wallet_ledger.domain.reconciliation import (
    Comparison,
    Mismatch,
    Reconciliation,
    SealedPoint,
    differences,
    point_to_go_on_from,
)
from services.wallet_ledger.store.accounts import AccountStore
from services.wallet_ledger.store.blocks import BlockStore
from services.wallet_ledger.store.reconciliation_findings import Findings, compare_blocks
from services.wallet_ledger.store.tables import reconciliations
from services.wallet_ledger.store.trial_balances import TrialBalances
from shared.db.database import Database

_ACCOUNTS_A_STRETCH = 500
_LOWEST = -(2**63) + 1
_NAMES = ("rows", "debits", "credits", "pending debits", "pending credits")
_STRETCH = """
SELECT a.id, a.address, a.version, a.debits_posted_minor, a.credits_posted_minor, a.debits_pending_minor, a.credits_pending_minor,
       d.rows + c.rows, d.moved, c.moved, d.pending, c.pending, d.rows AS transfers
FROM (SELECT * FROM accounts WHERE id > $1 ORDER BY id LIMIT $2) AS a
CROSS JOIN LATERAL (
    SELECT count(*) AS rows, coalesce(sum(amount_minor), 0) AS moved, coalesce(sum(pending_minor), 0) AS pending
    FROM transfers WHERE debit_account_id = a.id
) AS d
CROSS JOIN LATERAL (
    SELECT count(*) AS rows, coalesce(sum(amount_minor), 0) AS moved, coalesce(sum(pending_minor), 0) AS pending
    FROM transfers WHERE credit_account_id = a.id
) AS c
ORDER BY a.id
"""
_LAST = "SELECT coalesce(max(sequence), 0), coalesce(sum(transfer_count), 0) FROM transactions"
_PENDING = """
WITH promised AS (
    SELECT currency, sum(debits_pending_minor) AS minor FROM accounts GROUP BY currency
), held AS (
    SELECT currency, sum(amount_minor) AS minor FROM holds WHERE status = 'pending' GROUP BY currency
)
SELECT currency, coalesce(promised.minor, 0) AS promised, coalesce(held.minor, 0) AS held
FROM promised FULL JOIN held USING (currency)
WHERE coalesce(promised.minor, 0) <> coalesce(held.minor, 0) ORDER BY currency
"""


@asynccontextmanager
async def snapshot(database: Database) -> AsyncIterator[AsyncConnection]:
    """A read-only connection that sees the ledger as it is now, for as long as it takes."""
    async with database.engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        async with connection.begin():
            await connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            await connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield connection


async def compare(connection: AsyncConnection, now: datetime) -> Comparison:
    """Every account with its entries, the accounts with the trial balance of the journal, promises with holds, all blocks."""
    found = Findings()
    last_sequence, posted = (int(number) for number in (await connection.exec_driver_sql(_LAST)).one())
    accounts = transfers = 0
    after = _LOWEST
    while rows := (await connection.exec_driver_sql(_STRETCH, (after, _ACCOUNTS_A_STRETCH))).all():
        after = rows[-1][0]
        accounts += len(rows)
        transfers += sum(row.transfers for row in rows)
        for row in rows:
            if (what := _fault(row)) is not None:
                found.add(row.address, what)
    if transfers != posted:
        found.add("the journal", f"{transfers} transfers of known accounts instead of {posted}")
    await _compare_trial_balances(connection, now, found)
    for row in await connection.exec_driver_sql(_PENDING):
        found.add(f"holds in {row.currency}", f"accounts have {row.promised} promised away, pending holds are for {row.held}")
    sealed = await compare_blocks(BlockStore(connection), None, found)
    return Comparison(last_sequence, accounts, transfers, found.count, tuple(found.first), sealed=sealed)


def _fault(row: Any) -> str | None:
    return differences(_NAMES, tuple(row[2:7]), tuple(int(number) for number in row[7:12]))


async def _compare_trial_balances(connection: AsyncConnection, now: datetime, found: Findings) -> None:
    of_accounts = _lines(await AccountStore(connection).trial_balance())
    of_journal = _lines(await TrialBalances(connection).at(now + timedelta(days=1)))
    names = ("accounts", *_NAMES[1:])
    nothing = (0,) * len(names)
    for currency, kind in sorted(of_accounts.keys() | of_journal.keys()):
        stored, counted = of_accounts.get((currency, kind), nothing), of_journal.get((currency, kind), nothing)
        if (what := differences(names, stored, counted)) is not None:
            found.add(f"trial balance of {kind} in {currency}", what)
    for currency in sorted({currency for currency, _ in of_accounts}):
        columns = [line for (code, _), line in of_accounts.items() if code == currency]
        debits, credits_, pending_debits, pending_credits = (sum(line[at] for line in columns) for at in range(1, 5))
        if debits != credits_ or pending_debits != pending_credits:
            what = f"debits {debits}, credits {credits_}, pending debits {pending_debits}, pending credits {pending_credits}"
            found.add(f"all accounts in {currency}", f"both sides differ: {what}")


def _lines(lines: Sequence[TrialBalanceLine]) -> dict[tuple[str, str], tuple[int, ...]]:
    return {
        (one.currency, one.kind): (
            one.accounts,
            one.debits_minor,
            one.credits_minor,
            one.pending_debits_minor,
            one.pending_credits_minor,
        )
        for one in lines
    }


class Reconciliations:
    """Runs that were kept, on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, run: Reconciliation) -> bool:
        """Keep a run; false when that night's is there already."""
        row = {
            "id": run.id,
            "day": run.day,
            "started_by": run.started_by,
            "started_at": run.started_at,
            "finished_at": run.finished_at,
            "last_sequence": run.found.last_sequence,
            "accounts": run.found.accounts,
            "transfers": run.found.transfers,
            "balanced": run.balanced,
            "mismatch_count": run.found.mismatch_count,
            "mismatches": [asdict(one) for one in run.found.mismatches],
            "after_sequence": run.found.after_sequence,
            "block_number": run.found.sealed.block_number if run.found.sealed else None,
            "block_hash": run.found.sealed.block_hash if run.found.sealed else None,
        }
        added = insert(reconciliations).values(row).on_conflict_do_nothing().returning(reconciliations.c.id)
        return (await self._connection.execute(added)).first() is not None

    async def has_night(self, day: date) -> bool:
        """Whether that day was compared by itself."""
        query = sa.select(reconciliations.c.id).where(reconciliations.c.day == day, reconciliations.c.started_by.is_(None))
        return (await self._connection.execute(query)).first() is not None

    async def point_for(self, day: date) -> Comparison | None:
        """What the comparison of the night after `day` goes on from; None: from the beginning."""
        newest = await self.newest(None, 1)
        full = sa.select(sa.func.max(reconciliations.c.day)).where(reconciliations.c.after_sequence == 0)
        last_full_day: date | None = (await self._connection.execute(full)).scalar_one()
        return point_to_go_on_from(newest[0] if newest else None, last_full_day, day)

    async def newest(self, after: UUID | None, limit: int) -> Sequence[Reconciliation]:
        """Runs, newest first, from the one after `after` on."""
        query = sa.select(reconciliations).order_by(reconciliations.c.id.desc()).limit(limit)
        if after is not None:
            query = query.where(reconciliations.c.id < after)
        return [_read(row) for row in await self._connection.execute(query)]


def _read(row: Any) -> Reconciliation:
    mismatches = tuple(Mismatch(**one) for one in row.mismatches)
    sealed = SealedPoint(row.block_number, row.block_hash) if row.block_number is not None else None
    found = Comparison(row.last_sequence, row.accounts, row.transfers, row.mismatch_count, mismatches, row.after_sequence, sealed)
    return Reconciliation(row.id, row.day, row.started_by, row.started_at, row.finished_at, found)
