"""Blocks: the journal in stretches, each with a hash over its rows and over the block before.

Sequences follow the order of the commits and have no gaps, so what can be read is always everything up to some transaction:
nothing that commits late can slip in before a block that is sealed. The text below, not a function in the database, says how
rows are hashed, so that nobody can change it together with the rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

FIRST_PREVIOUS_HASH = bytes(32)

MARK_BYTES = 8
"""So much of each row's own hash is kept beside the block's: enough to say which row was changed. It is no proof by itself."""

# What is hashed: a line for each row, a transaction (position -1) before its transfers.
_ROWS = """
(
    SELECT sequence, -1 AS position, json_build_array(
        sequence, id, scope, idempotency_key, encode(fingerprint, 'hex'), kind, reference, description, status, rejection_code,
        rejection_detail, (extract(epoch FROM booked_at) * 1000000)::bigint, effective_on, initiated_by, reverses_id,
        transfer_count
    )::text AS line
    FROM transactions WHERE sequence BETWEEN $1 AND $2
    UNION ALL
    SELECT transaction_sequence, position, json_build_array(
        transaction_sequence, position, id, kind, description, debit_account_id, credit_account_id, currency, amount_minor,
        pending_minor, debit_version, credit_version, debit_balance_after_minor, credit_balance_after_minor,
        debit_pending_after_minor, credit_pending_after_minor, effective_on
    )::text
    FROM transfers WHERE transaction_sequence BETWEEN $1 AND $2
) AS rows
"""
_MARK = f"substring(sha256(convert_to(line, 'UTF8')) FROM 1 FOR {MARK_BYTES})"
_HASH = f"""
SELECT sha256($3::bytea || convert_to(coalesce(string_agg(line, E'\\n' ORDER BY sequence, position), ''), 'UTF8')),
       count(*) FILTER (WHERE position = -1), count(*) FILTER (WHERE position >= 0),
       coalesce(string_agg({_MARK}, ''::bytea ORDER BY sequence, position), ''::bytea)
FROM {_ROWS}
"""  # noqa: S608 constants
_MARKS = f"SELECT sequence, position, {_MARK} AS mark FROM {_ROWS} ORDER BY sequence, position"  # noqa: S608 constants
# The end of the next block: at most $2 transactions, and after the first no more than $3 transfers.
_NEXT_END = """
SELECT max(sequence) FROM (
    SELECT sequence, sum(transfer_count) OVER (ORDER BY sequence) AS transfers
    FROM transactions WHERE sequence > $1 ORDER BY sequence LIMIT $2
) AS following WHERE transfers <= $3 OR sequence = $1 + 1
"""
_BLOCK = "SELECT number, first_sequence, last_sequence, transfer_count, previous_hash, hash, marks FROM blocks"
_ADD = """
INSERT INTO blocks (number, first_sequence, last_sequence, transfer_count, previous_hash, hash, marks)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""


@dataclass(frozen=True, slots=True)
class Block:
    """One stretch of the journal. `marks` has `MARK_BYTES` for each of its rows; blocks of old have none."""

    number: int
    first_sequence: int
    last_sequence: int
    transfer_count: int
    previous_hash: bytes
    hash: bytes
    marks: bytes | None


@dataclass(frozen=True, slots=True)
class Digest:
    """The hash of a stretch as its rows are now, how many there are, and their marks."""

    hash: bytes
    transactions: int
    transfers: int
    marks: bytes


class BlockStore:
    """Blocks, on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def last(self) -> Block | None:
        """The newest block."""
        row = (await self._connection.exec_driver_sql(f"{_BLOCK} ORDER BY number DESC LIMIT 1")).first()
        return _block(row) if row is not None else None

    async def following(self, number: int, limit: int) -> list[Block]:
        """Blocks above `number`, in order."""
        rows = await self._connection.exec_driver_sql(f"{_BLOCK} WHERE number > $1 ORDER BY number LIMIT $2", (number, limit))
        return [_block(row) for row in rows]

    async def next_end(self, after: int, *, transactions: int, transfers: int) -> int | None:
        """The last transaction of a block that begins after sequence `after`; None when there is nothing to seal."""
        found = await self._connection.exec_driver_sql(_NEXT_END, (after, transactions, transfers))
        end: int | None = found.scalar()
        return end

    async def digest(self, first: int, last: int, previous_hash: bytes) -> Digest:
        """The hash of transactions `first` to `last` with their transfers, chained to `previous_hash`."""
        row: Any = (await self._connection.exec_driver_sql(_HASH, (first, last, previous_hash))).one()
        return Digest(*row)

    async def marks(self, first: int, last: int) -> Sequence[Any]:
        """The rows (`sequence`, `position`, `mark`) of a block, in its order; `position` -1 is the transaction itself."""
        return (await self._connection.exec_driver_sql(_MARKS, (first, last))).all()

    async def add(self, block: Block) -> None:
        """Seal."""
        values = (
            block.number, block.first_sequence, block.last_sequence, block.transfer_count, block.previous_hash, block.hash,
            block.marks,
        )  # fmt: skip
        await self._connection.exec_driver_sql(_ADD, values)


def _block(row: Any) -> Block:
    return Block(*row)
