"""The accounts that a poster has met, as its last planned batch leaves them, so that the next one need not read them.

They are good for planning only. Whoever plans on them learns from the database in the same breath where the ledger stands, and
the statement that writes a batch does nothing unless the ledger still stands there and each account is as it was thought to
be. All of it is dropped as soon as one plan could not be written.
"""

from collections.abc import Iterable
from datetime import datetime

from services.wallet_ledger.domain.account import Account
from services.wallet_ledger.domain.book import BatchResult

KEPT = 50_000
"""So many accounts, some 20 MB, before the oldest are dropped."""


class KnownAccounts:
    """Accounts by address and id once transaction `last_sequence` is committed; the core changes them in place."""

    def __init__(self) -> None:
        self.last_sequence = 0
        self.last_booked_at: datetime | None = None
        self.by_address: dict[str, Account] = {}
        self.by_id: dict[int, Account] = {}

    def add(self, accounts: Iterable[Account]) -> None:
        """Take in accounts as they were read."""
        for account in accounts:
            self.by_address[account.address] = account
            self.by_id[account.id] = account

    def follow(self, result: BatchResult) -> None:
        """A batch was planned on these accounts and its rows are made: what it left them at is what the next begins with."""
        self.last_sequence, self.last_booked_at = result.last_sequence, result.booked_at
        for account in result.accounts.values():
            account.stored_version = account.version
            if account.is_new:
                account.is_new = False
                self.by_id[account.id] = account
        for hold in result.holds.values():
            hold.is_new = False

    def stand_at(self, sequence: int, booked_at: datetime | None) -> None:
        """The ledger has gone on without this poster, so nothing that was known holds any more."""
        self.by_address.clear()
        self.by_id.clear()
        self.last_sequence, self.last_booked_at = sequence, booked_at

    def drop_oldest(self, needed: BatchResult | None) -> None:
        """Make room. What the batch under way changed stays: its rows cannot be read yet."""
        if len(self.by_id) <= KEPT:
            return
        kept = needed.accounts if needed is not None else {}
        for account in [one for one in self.by_id.values() if one.id not in kept][: len(self.by_id) - KEPT // 2]:
            del self.by_id[account.id]
            del self.by_address[account.address]
