"""The ledger's core: a batch of transactions against a book.

Transactions are taken in order, each seeing what those before it did. One that breaks a rule is rejected whole: what its
earlier entries changed is put back, and its neighbours notice nothing.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.wallet_ledger.domain.account import Account, HeldMoney, HoldStatus
from services.wallet_ledger.domain.book import BatchResult, Book, Recorded, TransferRow
from services.wallet_ledger.domain.chart_of_accounts import rule_for
from services.wallet_ledger.domain.entries import (
    MAX_TRANSFERS,
    ExpireHold,
    Hold,
    PostHold,
    PostHoldGroup,
    Transfer,
    VoidHold,
    VoidHoldGroup,
)
from services.wallet_ledger.domain.rules import (
    check_in_time,
    check_may_arrive,
    check_may_leave,
    check_pair,
    check_pending,
    past_deadline,
)
from services.wallet_ledger.domain.transaction import Known, Outcome, Refused, Rejected, Transaction
from shared.money import currency_codes

_CURRENCIES = currency_codes()


def run_batch(book: Book, batch: Sequence[Transaction], now: datetime) -> BatchResult:
    """Decide every transaction of `batch`; `book` is changed to what it will be once the result is written.

    The booking time is `now`, or that of the transaction before when the clock has gone back: it never falls.
    """
    booked_at = now if book.last_booked_at is None else max(now, book.last_booked_at)
    run = _Run(book, booked_at)
    for transaction in batch:
        run.result.outcomes.append(run.decide(transaction))
    book.last_sequence = run.result.last_sequence = run.sequence
    book.last_booked_at = booked_at
    return run.result


class _Run:
    """One batch on its way: the book, the rows so far, and how to put back what the present transaction changed."""

    def __init__(self, book: Book, booked_at: datetime) -> None:
        self.result = BatchResult(book.last_sequence, book.last_sequence, booked_at)
        self.sequence = book.last_sequence
        self._book = book
        self._booked_at = booked_at
        self._booked_on = booked_at.date()
        self._ids: set[UUID] = set()
        self._accounts_before: dict[int, tuple[Account, tuple[Any, ...]]] = {}
        self._holds_before: dict[UUID, tuple[HeldMoney, tuple[Any, ...] | None]] = {}
        self._opened: list[str] = []
        self._entry_ids: set[UUID] = set()
        self._first_row = 0
        self._effective_on: date | None = None
        self._take: dict[type, Callable[[Any], None]] = {
            Transfer: self._transfer,
            Hold: self._hold,
            PostHold: self._post_hold,
            VoidHold: self._void_hold,
            ExpireHold: self._expire_hold,
            PostHoldGroup: self._post_hold_group,
            VoidHoldGroup: self._void_hold_group,
        }

    def decide(self, transaction: Transaction) -> Outcome | Refused:
        """The outcome of one transaction: known from before, refused, or decided and recorded now."""
        key = (transaction.scope, transaction.idempotency_key)
        if (known := self._book.known.get(key)) is not None:
            if known.fingerprint != transaction.fingerprint:
                return Refused("idempotency_key_reused", "The idempotency key was used for another transaction.")
            return known.outcome.answer_to(transaction.id)
        if transaction.id in self._ids or transaction.id in self._book.taken_ids:
            return Refused("transaction_id_reused", "The transaction's id belongs to another one.")
        self._ids.add(transaction.id)
        self.sequence += 1
        try:
            self._apply(transaction)
        except Rejected as reason:
            self._put_back()
            outcome = Outcome(transaction.id, "rejected", self.sequence, self._booked_at, reason.code, reason.detail)
        else:
            outcome = Outcome(transaction.id, "posted", self.sequence, self._booked_at)
            self._keep(transaction)
        count = len(self.result.transfers) - self._first_row
        self.result.recorded.append(Recorded(transaction, outcome, count))
        self._book.known[key] = Known(transaction.fingerprint, outcome)
        return outcome

    def _apply(self, transaction: Transaction) -> None:
        self._first_row = len(self.result.transfers)
        self._accounts_before, self._holds_before, self._opened, self._entry_ids = {}, {}, [], set()
        effective_on = transaction.effective_on
        self._effective_on = None if effective_on == self._booked_on else effective_on
        if transaction.reverses is not None and transaction.reverses in self._book.reversed:
            raise Rejected("already_reversed", f"Transaction {transaction.reverses} has been reversed before.")
        for entry in transaction.entries:
            self._take[type(entry)](entry)

    def _keep(self, transaction: Transaction) -> None:
        for account_id, (account, _) in self._accounts_before.items():
            self.result.accounts[account_id] = account
        for hold_id, (hold, _) in self._holds_before.items():
            self.result.holds[hold_id] = hold
        if transaction.reverses is not None:
            self._book.reversed.add(transaction.reverses)

    def _put_back(self) -> None:
        del self.result.transfers[self._first_row :]
        for account, before in self._accounts_before.values():
            (
                account.version,
                account.debits_posted_minor,
                account.credits_posted_minor,
                account.debits_pending_minor,
                account.credits_pending_minor,
                account.debited_on,
                account.debited_minor,
            ) = before
        for hold, fields in self._holds_before.values():
            if fields is None:
                self._forget(hold)
            else:
                hold.status, hold.posted_amount_minor, hold.settled = fields
        for address in self._opened:
            del self._book.accounts[address]

    def _forget(self, hold: HeldMoney) -> None:
        del self._book.holds[hold.id]
        if hold.group is not None:
            self._book.groups[hold.group].remove(hold)

    # Entries, one method a type.

    def _transfer(self, entry: Transfer) -> None:
        debit, credit = self._pair(entry)
        self._count_debit(debit, entry.amount_minor)
        self._write(debit, credit, entry.amount_minor, 0, entry.id, entry.kind, entry.description)

    def _hold(self, entry: Hold) -> None:
        if entry.id in self._book.holds:
            raise Rejected("hold_exists", f"There is a hold {entry.id} already.")
        if entry.expires_at is not None and entry.expires_at <= self._booked_at:
            raise Rejected("hold_expired", f"Hold {entry.id} would have ended before it began.")
        debit, credit = self._pair(entry)
        self._count_debit(debit, entry.amount_minor)
        opened = (self.sequence, len(self.result.transfers) - self._first_row)
        self._write(debit, credit, 0, entry.amount_minor, entry.id, entry.kind, entry.description)
        hold = HeldMoney(
            id=entry.id,
            debit=debit,
            credit=credit,
            amount_minor=entry.amount_minor,
            currency=entry.currency,
            opened=opened,
            group=entry.group,
            expires_at=entry.expires_at,
            kind=entry.kind,
            description=entry.description,
            is_new=True,
        )
        self._book.holds[entry.id] = hold
        self._holds_before[entry.id] = (hold, None)
        if entry.group is not None:
            self._book.groups.setdefault(entry.group, []).append(hold)

    def _post_hold(self, entry: PostHold) -> None:
        hold = self._find_hold(entry.hold_id)
        check_in_time(hold, self._booked_at)
        amount_minor = hold.amount_minor if entry.amount_minor is None else entry.amount_minor
        if not 1 <= amount_minor <= hold.amount_minor:
            raise Rejected("hold_amount_exceeded", f"Hold {hold.id} is for {hold.amount_minor} minor units.")
        self._settle(hold, HoldStatus.POSTED, amount_minor)

    def _void_hold(self, entry: VoidHold) -> None:
        hold = self._find_hold(entry.hold_id)
        check_in_time(hold, self._booked_at)
        self._settle(hold, HoldStatus.VOIDED, 0)

    def _expire_hold(self, entry: ExpireHold) -> None:
        hold = self._find_hold(entry.hold_id)
        check_pending(hold)
        if not past_deadline(hold, self._booked_at):
            raise Rejected("hold_not_expired", f"The deadline of hold {hold.id} has not come.")
        self._settle(hold, HoldStatus.EXPIRED, 0)

    def _post_hold_group(self, entry: PostHoldGroup) -> None:
        pending = self._pending(entry.group)
        if not pending:
            raise Rejected("hold_group_empty", f"Group {entry.group} has no pending hold.")
        for hold in pending:
            check_in_time(hold, self._booked_at)
            self._settle(hold, HoldStatus.POSTED, hold.amount_minor)

    def _void_hold_group(self, entry: VoidHoldGroup) -> None:
        for hold in self._pending(entry.group):
            status = HoldStatus.EXPIRED if past_deadline(hold, self._booked_at) else HoldStatus.VOIDED
            self._settle(hold, status, 0)

    # What entries share.

    def _pair(self, entry: Transfer | Hold) -> tuple[Account, Account]:
        if entry.id in self._entry_ids:
            raise Rejected("entry_id_reused", f"Two entries have the id {entry.id}.")
        self._entry_ids.add(entry.id)
        debit = self._account(entry.debit_account, entry.currency)
        credit = self._account(entry.credit_account, entry.currency)
        check_pair(debit, credit, entry.currency, entry.amount_minor)
        check_may_leave(debit, entry.amount_minor, self._booked_on)
        check_may_arrive(credit, entry.amount_minor)
        return debit, credit

    def _account(self, address: str, currency: str) -> Account:
        account = self._book.accounts.get(address)
        return account if account is not None else self._open(address, currency)

    def _open(self, address: str, currency: str) -> Account:
        account_id, rule = self._book.reserved_ids.get(address), rule_for(address)
        if account_id is None or rule is None:
            raise Rejected("account_not_found", f"There is no account {address}.")
        if currency not in _CURRENCIES:
            raise Rejected("unknown_currency", f"There is no currency {currency}.")
        account = Account(account_id, address, rule.currency or currency, rule.floor_minor, is_new=True)
        self._book.accounts[address] = account
        self._opened.append(address)
        return account

    def _find_hold(self, hold_id: UUID) -> HeldMoney:
        hold = self._book.holds.get(hold_id)
        if hold is None:
            raise Rejected("hold_not_found", f"There is no hold {hold_id}.")
        return hold

    def _pending(self, group: str) -> list[HeldMoney]:
        return [hold for hold in self._book.groups.get(group, ()) if hold.status is HoldStatus.PENDING]

    def _settle(self, hold: HeldMoney, status: HoldStatus, amount_minor: int) -> None:
        if hold.id not in self._holds_before:
            self._holds_before[hold.id] = (hold, (hold.status, hold.posted_amount_minor, hold.settled))
        hold.status, hold.posted_amount_minor = status, amount_minor
        hold.settled = (self.sequence, len(self.result.transfers) - self._first_row)
        self._write(hold.debit, hold.credit, amount_minor, -hold.amount_minor, hold.id, hold.kind, hold.description)

    def _count_debit(self, account: Account, amount_minor: int) -> None:
        if account.daily_debit_limit_minor is None:
            return
        self._remember(account)
        if account.debited_on != self._booked_on:
            account.debited_on, account.debited_minor = self._booked_on, 0
        account.debited_minor += amount_minor

    def _remember(self, account: Account) -> None:
        if account.id not in self._accounts_before:
            self._accounts_before[account.id] = (
                account,
                (
                    account.version,
                    account.debits_posted_minor,
                    account.credits_posted_minor,
                    account.debits_pending_minor,
                    account.credits_pending_minor,
                    account.debited_on,
                    account.debited_minor,
                ),
            )

    def _write(
        self,
        debit: Account,
        credit: Account,
        amount_minor: int,
        pending_minor: int,
        row_id: UUID,
        kind: str | None,
        description: str | None,
    ) -> None:
        """Change both accounts by one row of `transfers`, and add the row."""
        rows = self.result.transfers
        position = len(rows) - self._first_row
        if position >= MAX_TRANSFERS:
            raise Rejected("too_many_transfers", f"A transaction has at most {MAX_TRANSFERS} transfers.")
        self._remember(debit)
        self._remember(credit)
        debit.version += 1
        debit.debits_posted_minor += amount_minor
        debit.debits_pending_minor += pending_minor
        credit.version += 1
        credit.credits_posted_minor += amount_minor
        credit.credits_pending_minor += pending_minor
        rows.append(
            TransferRow(
                self.sequence,
                position,
                row_id,
                kind,
                description,
                debit.id,
                credit.id,
                debit.currency,
                amount_minor,
                pending_minor,
                debit.version,
                credit.version,
                debit.credits_posted_minor - debit.debits_posted_minor,
                credit.credits_posted_minor - credit.debits_posted_minor,
                debit.debits_pending_minor,
                credit.credits_pending_minor,
                self._effective_on,
            )
        )
