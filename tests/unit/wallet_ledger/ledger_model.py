"""The ledger in its plainest form: what the core must agree with. Balances by name, one transaction at a time, no batches."""

import copy
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from services.wallet_ledger.domain.entries import (
    Entry,
    ExpireHold,
    Hold,
    PostHold,
    PostHoldGroup,
    Transfer,
    VoidHold,
    VoidHoldGroup,
)
from services.wallet_ledger.domain.transaction import Transaction


class No(Exception):
    """The model refuses."""


@dataclass
class Model:
    """Balances, holds and outcomes. `free` names the accounts that may go below zero.

    `frozen` and `closed` accounts, the most that an account may hold, and the most that it may give in one day (with what it
    has given since the limit is there) change only from outside.
    """

    currencies: dict[str, str]
    free: frozenset[str]
    now: datetime
    balances: dict[str, int] = field(default_factory=dict)
    holds: dict[UUID, Hold] = field(default_factory=dict)
    states: dict[UUID, str] = field(default_factory=dict)
    outcomes: dict[tuple[str, str], tuple[bytes, str]] = field(default_factory=dict)
    frozen: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    maximums: dict[str, int] = field(default_factory=dict)
    daily_limits: dict[str, int] = field(default_factory=dict)
    given: dict[str, tuple[date, int]] = field(default_factory=dict)

    def post(self, transaction: Transaction) -> str:
        """`posted`, `refused`, or the code of a rejection."""
        key = (transaction.scope, transaction.idempotency_key)
        if key in self.outcomes:
            fingerprint, outcome = self.outcomes[key]
            return outcome if fingerprint == transaction.fingerprint else "refused"
        before = copy.copy(self.balances), copy.copy(self.holds), copy.copy(self.states), copy.copy(self.given)
        outcome = "posted"
        try:
            for entry in transaction.entries:
                self._apply(entry)
        except No as reason:
            self.balances, self.holds, self.states, self.given = before
            outcome = str(reason)
        self.outcomes[key] = (transaction.fingerprint, outcome)
        return outcome

    def held(self, account: str) -> int:
        return sum(
            hold.amount_minor
            for hold in self.holds.values()
            if hold.debit_account == account and self.states[hold.id] == "pending"
        )

    def _apply(self, entry: Entry) -> None:
        match entry:
            case Transfer():
                self._may(entry)
                self._move(entry, entry.amount_minor)
            case Hold():
                if entry.id in self.holds:
                    raise No("hold_exists")
                if entry.expires_at is not None and entry.expires_at <= self.now:
                    raise No("hold_expired")
                self._may(entry)
                self.holds[entry.id], self.states[entry.id] = entry, "pending"
            case PostHold():
                hold = self._pending(entry.hold_id)
                amount_minor = hold.amount_minor if entry.amount_minor is None else entry.amount_minor
                if not 0 < amount_minor <= hold.amount_minor:
                    raise No("hold_amount_exceeded")
                self._move(hold, amount_minor)
                self.states[hold.id] = "posted"
            case VoidHold():
                self.states[self._pending(entry.hold_id).id] = "voided"
            case ExpireHold():
                hold = self._open(entry.hold_id)
                if not self._overdue(hold):
                    raise No("hold_not_expired")
                self.states[hold.id] = "expired"
            case PostHoldGroup():
                group = self._group(entry.group)
                if not group:
                    raise No("hold_group_empty")
                if any(self._overdue(hold) for hold in group):
                    raise No("hold_expired")
                for hold in group:
                    self._move(hold, hold.amount_minor)
                    self.states[hold.id] = "posted"
            case VoidHoldGroup():
                for hold in self._group(entry.group):
                    self.states[hold.id] = "expired" if self._overdue(hold) else "voided"

    def _group(self, name: str) -> list[Hold]:
        return [hold for hold in self.holds.values() if hold.group == name and self.states[hold.id] == "pending"]

    def _overdue(self, hold: Hold) -> bool:
        return hold.expires_at is not None and hold.expires_at <= self.now

    def _pending(self, hold_id: UUID) -> Hold:
        hold = self._open(hold_id)
        if self._overdue(hold):
            raise No("hold_expired")
        return hold

    def _open(self, hold_id: UUID) -> Hold:
        if hold_id not in self.holds:
            raise No("hold_not_found")
        if (state := self.states[hold_id]) != "pending":
            raise No("hold_expired" if state == "expired" else f"hold_already_{state}")
        return self.holds[hold_id]

    def _may(self, entry: Transfer | Hold) -> None:
        for account in (entry.debit_account, entry.credit_account):
            if account not in self.currencies:
                raise No("account_not_found")
        if entry.debit_account == entry.credit_account:
            raise No("same_account")
        for account in (entry.debit_account, entry.credit_account):
            if self.currencies[account] != entry.currency:
                raise No("currency_mismatch")
        self._may_leave(entry.debit_account, entry.amount_minor)
        self._may_arrive(entry.credit_account, entry.amount_minor)
        if entry.debit_account in self.daily_limits:
            today = self.now.date()
            self.given[entry.debit_account] = (today, self._given_today(entry.debit_account) + entry.amount_minor)

    def _may_leave(self, account: str, amount_minor: int) -> None:
        if account in self.frozen | self.closed:
            raise No("account_closed" if account in self.closed else "account_frozen")
        available = self.balances.get(account, 0) - self.held(account)
        if account not in self.free and available < amount_minor:
            raise No("insufficient_funds")
        limit_minor = self.daily_limits.get(account)
        if limit_minor is not None and self._given_today(account) + amount_minor > limit_minor:
            raise No("daily_debit_limit_exceeded")

    def _may_arrive(self, account: str, amount_minor: int) -> None:
        if account in self.closed:
            raise No("account_closed")
        promised = sum(
            hold.amount_minor
            for hold in self.holds.values()
            if hold.credit_account == account and self.states[hold.id] == "pending"
        )
        maximum_minor = self.maximums.get(account)
        if maximum_minor is not None and self.balances.get(account, 0) + promised + amount_minor > maximum_minor:
            raise No("maximum_balance_exceeded")

    def _given_today(self, account: str) -> int:
        day, amount_minor = self.given.get(account, (self.now.date(), 0))
        return amount_minor if day == self.now.date() else 0

    def _move(self, entry: Transfer | Hold, amount_minor: int) -> None:
        for account, sign in ((entry.debit_account, -1), (entry.credit_account, 1)):
            self.balances[account] = self.balances.get(account, 0) + sign * amount_minor
