"""The nightly comparison: every balance that has moved since the last one, and every row that was written since.

What an account had before is the balance after its last entry of then. That row is where the addition begins, so it needs no
table of its own to be trusted: the row is sealed, the last comparison has proven the blocks up to its own, and this one
proves those that follow. The work, and the memory, are those of the rows since; accounts that did not move are not read.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.wallet_ledger.domain.reconciliation import Comparison, differences
from services.wallet_ledger.store.blocks import BlockStore
from services.wallet_ledger.store.reconciliation_findings import Findings, compare_blocks

_NAMES = ("entries", "balance", "pending debits", "pending credits")
# Statistics of when the journal was short must not have it read from its beginning.
_BY_INDEX = tuple(f"SET LOCAL enable_{one} = off" for one in ("seqscan", "mergejoin", "hashjoin", "bitmapscan", "sort"))
_JOURNAL = """
SELECT (SELECT coalesce(max(sequence), 0) FROM transactions) AS last,
       count(*) AS transactions, coalesce(sum(transfer_count), 0)::bigint AS posted
FROM transactions WHERE sequence > $1
"""
_TRANSFERS = "SELECT count(*) FROM transfers WHERE transaction_sequence > $1"
_MOVED = sa.text("""
SELECT moved.account_id, a.address, a.version, a.credits_posted_minor - a.debits_posted_minor AS balance_minor,
       a.debits_pending_minor, a.credits_pending_minor, moved.first_version, moved.rows,
       CASE WHEN moved.first_version = 1 THEN 0 ELSE coalesce(debited.balance_minor, credited.balance_minor) END AS before_minor,
       moved.net_minor, coalesce(promised.minor, 0) + moved.debit_pending_minor AS expected_debits_pending,
       coalesce(expected.minor, 0) + moved.credit_pending_minor AS expected_credits_pending
FROM (
    SELECT account_id, count(*) AS rows, min(version) AS first_version, sum(net_minor) AS net_minor,
           sum(debit_pending_minor) AS debit_pending_minor, sum(credit_pending_minor) AS credit_pending_minor
    FROM (
        SELECT debit_account_id AS account_id, debit_version AS version, -amount_minor AS net_minor,
               pending_minor AS debit_pending_minor, 0 AS credit_pending_minor
        FROM transfers WHERE transaction_sequence > :after
        UNION ALL
        SELECT credit_account_id, credit_version, amount_minor, 0, pending_minor
        FROM transfers WHERE transaction_sequence > :after
    ) AS legs GROUP BY account_id
) AS moved
LEFT JOIN accounts a ON a.id = moved.account_id
LEFT JOIN LATERAL (
    SELECT debit_balance_after_minor AS balance_minor FROM transfers
    WHERE debit_account_id = moved.account_id AND debit_version = moved.first_version - 1
) AS debited ON true
LEFT JOIN LATERAL (
    SELECT credit_balance_after_minor AS balance_minor FROM transfers
    WHERE credit_account_id = moved.account_id AND credit_version = moved.first_version - 1
) AS credited ON true
LEFT JOIN LATERAL (
    SELECT debit_pending_after_minor AS minor FROM transfers
    WHERE debit_account_id = moved.account_id AND debit_version < moved.first_version ORDER BY debit_version DESC LIMIT 1
) AS promised ON true
LEFT JOIN LATERAL (
    SELECT credit_pending_after_minor AS minor FROM transfers
    WHERE credit_account_id = moved.account_id AND credit_version < moved.first_version ORDER BY credit_version DESC LIMIT 1
) AS expected ON true
""")
_HOLDS = sa.text("""
SELECT x.id, x.transaction_sequence AS sequence, x.position, x.pending_minor > 0 AS opened
FROM transfers x LEFT JOIN holds h ON h.id = x.id
WHERE x.transaction_sequence > :after AND x.pending_minor <> 0 AND CASE
    WHEN h.id IS NULL THEN true
    WHEN x.pending_minor > 0 THEN
        (h.amount_minor, h.opened_sequence, h.opened_position)
            IS DISTINCT FROM (x.pending_minor, x.transaction_sequence, x.position)
    ELSE
        (-h.amount_minor, h.posted_amount_minor, h.settled_sequence, h.settled_position)
            IS DISTINCT FROM (x.pending_minor, x.amount_minor, x.transaction_sequence, x.position)
END
""")


async def compare_since(connection: AsyncConnection, before: Comparison) -> Comparison:
    """What was written after `before` with what is there now. `connection` reads one snapshot, whatever is posted meanwhile."""
    for setting in _BY_INDEX:
        await connection.exec_driver_sql(setting)
    after, found = before.last_sequence, Findings()
    journal = (await connection.exec_driver_sql(_JOURNAL, (after,))).one()
    if journal.last - after != journal.transactions:
        found.add(
            "the journal", f"{journal.transactions} transactions instead of {journal.last - after} after transaction {after}"
        )
    transfers = int((await connection.exec_driver_sql(_TRANSFERS, (after,))).scalar_one())
    if transfers != journal.posted:
        found.add("the journal", f"{transfers} transfers instead of {journal.posted} after transaction {after}")
    sealed = await compare_blocks(BlockStore(connection), before.sealed, found)
    accounts = 0
    async for row in await connection.stream(_MOVED, {"after": after}):
        accounts += 1
        if (what := _fault(row)) is not None:
            found.add(row.address or f"account {row.account_id}", what)
    async for row in await connection.stream(_HOLDS, {"after": after}):
        done = "opened" if row.opened else "settled"
        found.add(f"hold {row.id}", f"it is not what was {done} at transaction {row.sequence}, position {row.position}")
    return Comparison(journal.last, accounts, transfers, found.count, tuple(found.first), after, sealed)


def _fault(row: Any) -> str | None:
    if row.address is None:
        return "it has entries, but is not there"
    if row.before_minor is None:
        return f"its entry of version {row.first_version - 1} is missing"
    stored = (row.version, row.balance_minor, row.debits_pending_minor, row.credits_pending_minor)
    counted = (
        row.first_version - 1 + row.rows,
        row.before_minor + row.net_minor,
        row.expected_debits_pending,
        row.expected_credits_pending,
    )
    return differences(_NAMES, tuple(map(int, stored)), tuple(map(int, counted)))
