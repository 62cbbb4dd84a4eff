"""A ledger played by a test: balances, holds and groups, one outcome a key, each transaction whole or not at all.

Money comes in with `deposit` only, from an account that goes below zero for it, so that all balances sum to zero always.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from shared.contracts.wallet_ledger.transaction_commands import (
    Entry,
    Hold,
    PostHold,
    PostHoldGroup,
    PostTransaction,
    Transfer,
    VoidHold,
    VoidHoldGroup,
)
from shared.contracts.wallet_ledger.transaction_events import TransactionPosted, TransactionRejected

_OUTSIDE = "provider:test"


class _Rejected(Exception):
    """One entry cannot be: the whole transaction is not."""


@dataclass
class PlayedLedger:
    """`closed` accounts take and give nothing. `posted` has every transaction that took effect, in order."""

    balances: dict[str, int] = field(default_factory=dict)
    holds: dict[UUID, Hold] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    posted: list[PostTransaction] = field(default_factory=list)
    _outcomes: dict[str, tuple[PostTransaction, TransactionPosted | TransactionRejected]] = field(default_factory=dict)

    def deposit(self, account: str, amount_minor: int) -> None:
        """Money from outside."""
        self._move(_OUTSIDE, account, amount_minor)

    def balance(self, account: str) -> int:
        """What is on an account, held or not."""
        return self.balances.get(account, 0)

    def available(self, account: str) -> int:
        """What is on an account and not held."""
        return self.balance(account) - sum(hold.amount_minor for hold in self.holds.values() if hold.debit_account == account)

    def transfers(self, kind: str) -> Iterator[Transfer]:
        """Every transfer of one kind that took effect, in order."""
        for transaction in self.posted:
            yield from (one for one in transaction.entries if isinstance(one, Transfer) and one.kind == kind)

    def check(self) -> None:
        """No money was made or lost, and nobody has less than nothing."""
        assert sum(self.balances.values()) == 0
        assert all(self.available(account) >= 0 for account in self.balances if account != _OUTSIDE)

    def handle(self, command: PostTransaction, requested_by: str) -> TransactionPosted | TransactionRejected:
        """Do it, or say again what became of it. The same key with other content is the sender's mistake."""
        if command.idempotency_key in self._outcomes:
            first, outcome = self._outcomes[command.idempotency_key]
            assert command == first, "what is sent again must be the same"
            return outcome
        outcome = self._decide(command, requested_by)
        self._outcomes[command.idempotency_key] = (command, outcome)
        self.check()
        return outcome

    def _decide(self, command: PostTransaction, requested_by: str) -> TransactionPosted | TransactionRejected:
        facts = {
            "transaction_id": command.transaction_id,
            "idempotency_key": command.idempotency_key,
            "requested_by": requested_by,
            "kind": command.kind,
            "reference": command.reference,
        }
        before = dict(self.balances), dict(self.holds)
        try:
            for entry in command.entries:
                self._apply(entry)
        except _Rejected as reason:
            self.balances, self.holds = before
            return TransactionRejected.model_validate({**facts, "code": str(reason), "detail": "The ledger says no."})
        self.posted.append(command)
        return TransactionPosted.model_validate({**facts, "booked_at": datetime.now(UTC)})

    def _apply(self, entry: Entry) -> None:
        match entry:
            case Transfer():
                self._check(entry)
                self._move(entry.debit_account, entry.credit_account, entry.amount_minor)
            case Hold():
                self._check(entry)
                self.holds[entry.id] = entry
            case PostHold():
                hold = self._settle(entry.hold_id)
                self._move(hold.debit_account, hold.credit_account, entry.amount_minor or hold.amount_minor)
            case VoidHold():
                self._settle(entry.hold_id)
            case PostHoldGroup():
                for hold in self._group(entry.group):
                    self._settle(hold.id)
                    self._move(hold.debit_account, hold.credit_account, hold.amount_minor)
            case VoidHoldGroup():
                for hold in self._group(entry.group):
                    self._settle(hold.id)

    def _check(self, entry: Transfer | Hold) -> None:
        if self.closed & {entry.debit_account, entry.credit_account}:
            raise _Rejected("account_closed")
        may_go_below_zero = entry.debit_account.startswith("provider:")
        if not may_go_below_zero and self.available(entry.debit_account) < entry.amount_minor:
            raise _Rejected("insufficient_funds")

    def _group(self, group: str) -> list[Hold]:
        return [hold for hold in self.holds.values() if hold.group == group]

    def _settle(self, hold_id: UUID) -> Hold:
        if hold_id not in self.holds:
            raise _Rejected("hold_not_pending")
        return self.holds.pop(hold_id)

    def _move(self, debit: str, credit: str, amount_minor: int) -> None:
        self.balances[debit] = self.balance(debit) - amount_minor
        self.balances[credit] = self.balance(credit) + amount_minor
