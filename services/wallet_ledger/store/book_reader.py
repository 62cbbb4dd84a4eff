"""Reads the part of the ledger that a batch names."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from services.wallet_ledger.domain.account import Account, AccountStatus, HeldMoney, HoldStatus
from services.wallet_ledger.domain.book import BatchResult, Book
from services.wallet_ledger.domain.chart_of_accounts import rule_for
from services.wallet_ledger.domain.entries import (
    ExpireHold,
    Hold,
    PostHold,
    PostHoldGroup,
    Transfer,
    VoidHold,
    VoidHoldGroup,
)
from services.wallet_ledger.domain.transaction import Known, Outcome, Transaction
from services.wallet_ledger.store import ledger_statements as sql
from services.wallet_ledger.store.known_ledger import KnownLedger


async def read_book(
    connection: asyncpg.Connection,
    batch: Sequence[Transaction],
    known: KnownLedger,
    *,
    under_way: BatchResult | None = None,
    keys: bool = True,
    ids: bool = False,
) -> Book:
    """Everything that `batch` names and that there is, or will be once the batch `under_way` is committed.

    Accounts that are not `known` are read, and known from then on. Whether there are outcomes of the transactions' `keys`, and
    whether others have their `ids`, need not be read: the unique indexes say it for nothing when the batch is written.

    The last transaction is read with the accounts, before holds: should others be committed meanwhile, the book is stale
    and cannot be written, but never wrong unnoticed. If others have been already, `under_way` will not be committed, and
    everything is read.
    """
    named = _Named()
    for transaction in batch:
        named.add(transaction)
    known.drop_oldest(under_way)
    book = Book(accounts=known.by_address, known=known.outcomes)
    missing = [address for address in named.addresses if address not in known.by_address]
    if keys or missing or not known.last_sequence:
        await _read_accounts_and_outcomes(connection, batch, named, missing, known)
    book.last_sequence, book.last_booked_at = known.last_sequence, known.last_booked_at
    holds: dict[UUID, HeldMoney] = {}
    if named.holds or named.groups:
        rows = await connection.fetch(sql.HOLDS, list(named.holds), list(named.groups))
        sides = {row[side] for row in rows for side in ("debit_account_id", "credit_account_id")} - known.by_id.keys()
        if sides:
            known.add([_account(row) for row in await connection.fetch(sql.ACCOUNTS_BY_ID, list(sides))])
        holds = {row["id"]: _hold(row, known.by_id) for row in rows}
    if named.reversed:
        book.reversed = {row[0] for row in await connection.fetch(sql.REVERSED, list(named.reversed))}
    if ids:
        book.taken_ids = {row[0] for row in await connection.fetch(sql.IDS, [one.id for one in batch])}
    if under_way is not None and under_way.last_sequence == known.last_sequence:
        _catch_up(book, named, holds, under_way)
    _enter_holds(book, holds)
    await _reserve_ids(connection, book, named)
    return book


def _catch_up(book: Book, named: "_Named", holds: dict[UUID, HeldMoney], under_way: BatchResult) -> None:
    """Take in what else the batch under way changes: reversals, and the holds that this batch names."""
    for transaction, outcome, _ in under_way.recorded:
        if transaction.reverses is not None and outcome.posted:
            book.reversed.add(transaction.reverses)
    for hold in under_way.holds.values():
        if hold.id in named.holds or hold.group in named.groups:
            holds[hold.id] = hold


def _enter_holds(book: Book, holds: dict[UUID, HeldMoney]) -> None:
    book.holds = holds
    for hold in sorted(holds.values(), key=lambda hold: hold.opened):
        if hold.group is not None and hold.status is HoldStatus.PENDING:
            book.groups.setdefault(hold.group, []).append(hold)


async def _reserve_ids(connection: asyncpg.Connection, book: Book, named: "_Named") -> None:
    missing = [address for address in named.addresses if address not in book.accounts and _opens_itself(address)]
    if missing:
        ids = await connection.fetch(sql.RESERVE_ACCOUNT_IDS, len(missing))
        book.reserved_ids = {address: row[0] for address, row in zip(missing, ids, strict=True)}


class _Named:
    """The addresses, holds, groups and reversed transactions that a batch names."""

    def __init__(self) -> None:
        self.addresses: set[str] = set()
        self.holds: set[UUID] = set()
        self.groups: set[str] = set()
        self.reversed: set[UUID] = set()

    def add(self, transaction: Transaction) -> None:
        """Take in what one transaction names."""
        if transaction.reverses is not None:
            self.reversed.add(transaction.reverses)
        for entry in transaction.entries:
            match entry:
                case Transfer():
                    self.addresses.update((entry.debit_account, entry.credit_account))
                case Hold():
                    self.addresses.update((entry.debit_account, entry.credit_account))
                    self.holds.add(entry.id)
                case PostHold() | VoidHold() | ExpireHold():
                    self.holds.add(entry.hold_id)
                case PostHoldGroup() | VoidHoldGroup():
                    self.groups.add(entry.group)


async def _read_accounts_and_outcomes(
    connection: asyncpg.Connection, batch: Sequence[Transaction], named: _Named, missing: list[str], known: KnownLedger
) -> None:
    scopes, keys = [one.scope for one in batch], [one.idempotency_key for one in batch]
    while True:
        rows = await connection.fetch(sql.ACCOUNTS_AND_OUTCOMES, missing, scopes, keys)
        last: Any = None
        outcomes: dict[tuple[str, str], Known] = {}
        for row in rows:
            if row[14] is not None:
                sequence, transaction_id, scope, key, fingerprint, status, code, detail, booked_at = tuple(row)[14:]
                outcomes[scope, key] = Known(fingerprint, Outcome(transaction_id, status, sequence, booked_at, code, detail))
                if last is None or sequence > last["sequence"]:
                    last = row
        if last is not None and last["sequence"] > known.last_sequence:
            everything_was_read = not known.by_address
            known.stand_at(last["sequence"], last[15], last["booked_at"])
            if not everything_was_read:
                missing = list(named.addresses)
                continue
        known.add([_account(row) for row in rows if row[14] is None])
        known.outcomes.update(outcomes)
        return


def _opens_itself(address: str) -> bool:
    rule = rule_for(address)
    return rule is not None and rule.opens_itself


def _account(row: Any) -> Account:
    (
        account_id, address, currency, floor_minor, status, version, debits_posted_minor, credits_posted_minor,
        debits_pending_minor, credits_pending_minor, maximum_balance_minor, daily_debit_limit_minor, debited_on, debited_minor,
        *_,
    ) = row  # fmt: skip
    return Account(
        account_id,
        address,
        currency,
        floor_minor,
        AccountStatus.OPEN if status == "open" else AccountStatus(status),
        version,
        debits_posted_minor,
        credits_posted_minor,
        debits_pending_minor,
        credits_pending_minor,
        maximum_balance_minor,
        daily_debit_limit_minor,
        debited_on,
        debited_minor,
        version,
    )


def _hold(row: Any, accounts: dict[int, Account]) -> HeldMoney:
    settled = None if row["settled_sequence"] is None else (row["settled_sequence"], row["settled_position"])
    return HeldMoney(
        id=row["id"],
        debit=accounts[row["debit_account_id"]],
        credit=accounts[row["credit_account_id"]],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        opened=(row["opened_sequence"], row["opened_position"]),
        group=row["group_name"],
        expires_at=row["expires_at"],
        kind=row["kind"],
        description=row["description"],
        status=HoldStatus(row["status"]),
        posted_amount_minor=row["posted_amount_minor"],
        settled=settled,
    )
