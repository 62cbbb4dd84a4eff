"""Checks of transactions: none is missing, each has its transfers, its key and, when it is a reversal, what it reverses."""

from services.wallet_ledger.store import verification as sql
from shared.verification import Walk

_TRANSACTIONS_A_STRETCH = 20_000
_KEYS_A_STRETCH = 50_000


async def size_of_journal(walk: Walk) -> int:
    """How many transactions there are, or should be."""
    return int((await walk.one(sql.LAST_SEQUENCE))[0])


async def check_transactions(walk: Walk) -> None:
    """Transactions follow each other without a gap, and each has the transfers and the outcome that it says."""
    last_sequence = await size_of_journal(walk)
    counted = ("transactions", "transfers", "holds_opened", "holds_settled")
    walk.counts.update(dict.fromkeys(counted, 0))
    for first in range(1, last_sequence + 1, _TRANSACTIONS_A_STRETCH):
        last = min(first + _TRANSACTIONS_A_STRETCH - 1, last_sequence)
        row = await walk.one(sql.SEQUENCES, first, last)
        for name in counted:
            walk.counts[name] += getattr(row, name)
        if row.fault_sequence is not None:
            walk.fault(f"transaction {row.fault_sequence}", f"it {row.fault}", position=row.fault_sequence)
        walk.advance(last - first + 1)


async def check_keys(walk: Walk) -> None:
    """Each transaction is the one outcome of its key: what a replay is answered with. Walked in the order of the keys."""
    if not (await walk.one(sql.KEY_INDEX))[0]:
        walk.fault("the index of the keys", "it is not there, not unique or not valid: a key may have several outcomes")
        return
    after, keys = ("", ""), 0
    while True:
        row = await walk.one(sql.KEYS, *after, _KEYS_A_STRETCH)
        keys += row.keys
        if row.doubled_key is not None:
            walk.fault(f"key {row.doubled_key} of {row.doubled_scope}", "it has several outcomes")
        walk.advance(row.keys)
        if row.keys < _KEYS_A_STRETCH:
            break
        after = (row.last_scope, row.last_key)
    if keys != walk.counts["transactions"]:
        walk.fault("the whole", f"{keys} keys have an outcome, and there are {walk.counts['transactions']} transactions")


async def check_reversals(walk: Walk) -> None:
    """Each reversal names an earlier transaction that was posted, and no two the same."""
    if (row := await walk.first(sql.REVERSALS)) is not None:
        walk.fault(f"transaction {row.sequence} ({row.id})", f"it {row.fault}", position=row.sequence)
