"""Prove the ledger: recompute every balance, version chain, hold, hash and the trial balance from the journal.

Online: it reads one snapshot, so posting goes on meanwhile. In bounded memory: the journal is walked in stretches. Each
check goes on to its first fault and says where that is.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.problems import VerificationRunning
from services.wallet_ledger.domain.verification import Fault, Progress, Report
from services.wallet_ledger.store import verification as sql
from services.wallet_ledger.store.blocks import FIRST_PREVIOUS_HASH, BlockStore
from shared.db.database import Database

Tell = Callable[[Progress], None]

_TRANSACTIONS_A_STRETCH = 20_000
_ACCOUNTS_A_STRETCH = 2_000
_LEGS_A_STRETCH = 100_000
_HOLDS_A_STRETCH = 20_000
_BLOCKS_A_FETCH = 100
_NO_LIMIT = 2**63 - 1


async def verify_ledger(database: Database, tell: Tell = lambda _: None) -> Report:
    """Verify everything. Read-only; `tell` is called after each stretch."""
    started = time.perf_counter()
    async with _snapshot(database) as connection:
        sizes = (await connection.exec_driver_sql(sql.SIZES)).one()
        walk = _Walk(connection, tell, total=2 * sizes.last_sequence + sizes.legs + sizes.holds)
        for check in (_check_sequences, _check_accounts, _check_holds, _check_totals, _check_blocks):
            await check(walk, sizes)
    return Report(
        tuple(walk.faults),
        sizes.transactions,
        walk.transfers,
        walk.accounts,
        walk.holds,
        walk.blocks,
        time.perf_counter() - started,
    )


async def verify_alone(context: Context) -> Report:
    """Verify everything for an operator; one at a time. Raises `VerificationRunning`."""
    async with context.database.engine.connect() as connection:
        free = await connection.exec_driver_sql("SELECT pg_try_advisory_xact_lock(hashtextextended('verify ledger', 0))")
        if not free.scalar_one():
            raise VerificationRunning("Wait for it to end.", headers={"Retry-After": "10"})
        await connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        return await verify_ledger(context.database)


@asynccontextmanager
async def _snapshot(database: Database) -> AsyncIterator[AsyncConnection]:
    async with database.engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        async with connection.begin():
            await connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            await connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield connection


@dataclass
class _Walk:
    """One verification under way."""

    connection: AsyncConnection
    tell: Tell
    total: int
    done: int = 0
    transfers: int = 0
    holds_opened: int = 0
    holds_settled: int = 0
    accounts: int = 0
    legs: int = 0
    holds: int = 0
    blocks: int = 0
    faults: list[Fault] = field(default_factory=list)

    def advance(self, check: str, rows: int) -> None:
        """Tell that `rows` more are done."""
        self.done += rows
        self.tell(Progress(check, min(self.done, self.total), self.total))

    async def one(self, statement: str, *values: Any) -> Any:
        """The one row of a statement."""
        return (await self.connection.exec_driver_sql(statement, values)).one()

    async def first(self, statement: str, *values: Any) -> Any:
        """The first row of a statement, or None."""
        return (await self.connection.exec_driver_sql(statement, values)).first()


async def _check_sequences(walk: _Walk, sizes: Any) -> None:
    """Transactions follow each other without a gap, and each has the transfers that it says."""
    check, found = "transactions", False
    for first in range(1, sizes.last_sequence + 1, _TRANSACTIONS_A_STRETCH):
        last = min(first + _TRANSACTIONS_A_STRETCH - 1, sizes.last_sequence)
        row = await walk.one(sql.SEQUENCES, first, last)
        walk.transfers += row.transfers
        walk.holds_opened += row.opened
        walk.holds_settled += row.settled
        if row.fault_sequence is not None and not found:
            found = True
            walk.faults.append(Fault(check, f"transaction {row.fault_sequence}", f"it {row.fault}"))
        walk.advance(check, last - first + 1)


@dataclass
class _Account:
    """An account as it is stored, and what its rows have said so far."""

    id: int
    address: str
    currency: str
    version: int
    debits: int
    credits: int
    pending_debits: int
    pending_credits: int


def _account(row: Any) -> _Account:
    return _Account(*row)


async def _check_accounts(walk: _Walk, _: Any) -> None:
    """Each account's rows are there, versions 1 to the last; each row's balances follow; the account is at the last one."""
    after, stretch, legs = -_NO_LIMIT, list[_Account](), 0
    while True:
        rows = (await walk.connection.exec_driver_sql(sql.ACCOUNTS, (after, _ACCOUNTS_A_STRETCH))).all()
        for row in rows:
            account = _account(row)
            if stretch and legs + account.version > _LEGS_A_STRETCH:
                await _check_stretch(walk, stretch)
                stretch, legs = [], 0
            stretch.append(account)
            legs += account.version
            after = account.id
        if len(rows) < _ACCOUNTS_A_STRETCH:
            break
    if stretch:
        await _check_stretch(walk, stretch)
    if walk.legs != 2 * walk.transfers and (lost := await walk.first(sql.ROW_WITHOUT_ACCOUNT)) is not None:
        where = f"transaction {lost.transaction_sequence}, position {lost.position}"
        walk.faults.append(Fault("accounts", where, "its account is not there"))


async def _check_stretch(walk: _Walk, accounts: list[_Account]) -> None:
    """Some accounts with few rows, or one with many, which is then walked in parts."""
    walk.accounts += len(accounts)
    if len(accounts) > 1:
        totals = await _totals(walk, accounts[0].id, accounts[-1].id, 0, _NO_LIMIT, _Totals())
    else:
        totals, so_far = {}, _Totals()
        highest = accounts[0].version
        for low in range(0, max(highest, 1), _LEGS_A_STRETCH):
            high = low + _LEGS_A_STRETCH if low + _LEGS_A_STRETCH < highest else _NO_LIMIT
            part = await _totals(walk, accounts[0].id, accounts[0].id, low, high, so_far)
            so_far = part.get(accounts[0].id, so_far)
            totals = {accounts[0].id: so_far}
    for account in accounts:
        await _compare(walk, account, totals.get(account.id, _Totals()))


@dataclass(frozen=True)
class _Totals:
    """What rows of one account sum up to, from its first on."""

    rows: int = 0
    debits: int = 0
    credits: int = 0
    pending_debits: int = 0
    pending_credits: int = 0
    fault_version: int | None = None


async def _totals(walk: _Walk, first_id: int, last_id: int, low: int, high: int, before: _Totals) -> dict[int, _Totals]:
    values = (
        first_id, last_id, low, high, before.credits - before.debits, before.pending_debits, before.pending_credits,
    )  # fmt: skip
    found: dict[int, _Totals] = {}
    for row in await walk.connection.exec_driver_sql(sql.CHAINS, values):
        found[row.account_id] = _Totals(
            before.rows + row.rows,
            before.debits + row.debits,
            before.credits + row.credits,
            before.pending_debits + row.debit_pending,
            before.pending_credits + row.credit_pending,
            before.fault_version if before.fault_version is not None else row.fault_version,
        )
        walk.legs += row.rows
        walk.advance("accounts", row.rows)
    return found


async def _compare(walk: _Walk, account: _Account, totals: _Totals) -> None:
    if any(fault.check == "accounts" for fault in walk.faults):
        return
    where = f"account {account.address}"
    if totals.fault_version is not None:
        row = await walk.first(sql.ROW_OF_VERSION, account.id, totals.fault_version)
        place = f"transaction {row.transaction_sequence} ({row.transaction_id}), position {row.position}"
        what = "the row does not follow from the one before: one is missing, doubled or changed"
        walk.faults.append(Fault("accounts", f"{where}, version {totals.fault_version}, {place}", what))
        return
    stored = (account.version, account.debits, account.credits, account.pending_debits, account.pending_credits)
    counted = (totals.rows, totals.debits, totals.credits, totals.pending_debits, totals.pending_credits)
    if stored != counted:
        names = ("version", "debits", "credits", "pending debits", "pending credits")
        differ = [
            f"{name} {is_} instead of {should}" for name, is_, should in zip(names, stored, counted, strict=True) if is_ != should
        ]
        walk.faults.append(Fault("accounts", where, "its rows say otherwise: " + ", ".join(differ)))


async def _check_holds(walk: _Walk, _: Any) -> None:
    """Each hold is what the journal opened and settled, and none is missing."""
    check, after, settled, found = "holds", UUID(int=0), 0, False
    while True:
        row = await walk.one(sql.HOLDS, after, _HOLDS_A_STRETCH)
        walk.holds += row.rows
        settled += row.settled
        if row.fault is not None and not found:
            found = True
            walk.faults.append(Fault(check, f"hold {row.fault_id}", f"it {row.fault}"))
        walk.advance(check, row.rows)
        if row.rows < _HOLDS_A_STRETCH:
            break
        after = row.last
    if not found and (walk.holds, settled) != (walk.holds_opened, walk.holds_settled):
        what = f"{walk.holds} holds, {settled} settled; the journal opened {walk.holds_opened} and settled {walk.holds_settled}"
        walk.faults.append(Fault(check, "the whole", what))


async def _check_totals(walk: _Walk, _: Any) -> None:
    """In each currency debits equal credits, pending ones too; each wallet has its own account."""
    if (line := await walk.first(sql.TRIAL_BALANCE)) is not None:
        what = (
            f"debits {line.debits} and credits {line.credits}, "
            f"pending debits {line.pending_debits} and pending credits {line.pending_credits}"
        )
        walk.faults.append(Fault("trial balance", f"currency {line.currency}", what))
    if (wallet := await walk.first(sql.WALLETS)) is not None:
        walk.faults.append(Fault("wallets", f"wallet {wallet.id}", "its account is not there, or is not like it"))


async def _check_blocks(walk: _Walk, sizes: Any) -> None:
    """Each block follows the one before, and its rows still have the hash under which they were sealed."""
    blocks = BlockStore(walk.connection)
    number, last, previous_hash = 0, 0, FIRST_PREVIOUS_HASH
    while following := await blocks.following(number, _BLOCKS_A_FETCH):
        for block in following:
            digest = await blocks.digest(block.first_sequence, block.last_sequence, block.previous_hash)
            where = f"block {block.number} (transactions {block.first_sequence} to {block.last_sequence})"
            if (block.number, block.first_sequence, block.previous_hash) != (number + 1, last + 1, previous_hash):
                walk.faults.append(Fault("blocks", where, "it does not follow the one before"))
                return
            if digest.hash != block.hash or digest.transfers != block.transfer_count:
                walk.faults.append(Fault("blocks", where, "its rows are not those that were sealed"))
                return
            number, last, previous_hash = block.number, block.last_sequence, block.hash
            walk.blocks += 1
            walk.advance("blocks", block.last_sequence - block.first_sequence + 1)
    if last > sizes.transactions:
        walk.faults.append(Fault("blocks", f"block {number}", "transactions that were sealed are missing"))
