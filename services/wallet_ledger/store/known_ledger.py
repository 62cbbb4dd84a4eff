"""What a poster knows of the ledger, as its last planned batch leaves it, so that the next batch need not read it.

It is good for planning only. The statement that writes a batch does nothing unless the ledger stands where it was thought to
stand, and fails when an account is not as it was thought to be or a key is taken after all. As soon as one plan could not be
written, all that was known is dropped.
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from uuid import UUID

from services.wallet_ledger.domain.account import Account
from services.wallet_ledger.domain.book import BatchResult
from services.wallet_ledger.domain.transaction import Known

KEPT = 50_000
"""So many accounts, some 20 MB, before the oldest are dropped."""
OUTCOMES_KEPT = 10_000
"""So many outcomes: who repeats a request after a lost answer does so soon."""


class KnownLedger:
    """Accounts and outcomes once transaction `last_sequence` is committed; the core changes them in place.

    Accounts by address and by id, recent outcomes by scope and key.
    """

    def __init__(self) -> None:
        self.last_sequence = 0
        self.last_id: UUID | None = None
        self.last_booked_at: datetime | None = None
        self.by_address: dict[str, Account] = {}
        self.by_id: dict[int, Account] = {}
        self.outcomes: dict[tuple[str, str], Known] = {}

    def add(self, accounts: Iterable[Account]) -> None:
        """Take in accounts as they were read."""
        for account in accounts:
            self.by_address[account.address] = account
            self.by_id[account.id] = account

    def follow(self, result: BatchResult) -> None:
        """A batch was planned on these accounts and its rows are made: what it left them at is what the next begins with."""
        self.last_sequence, self.last_booked_at = result.last_sequence, result.booked_at
        if result.recorded:
            self.last_id = result.recorded[-1].transaction.id
        for account in result.accounts.values():
            account.stored_version = account.version
            if account.is_new:
                account.is_new = False
                self.by_id[account.id] = account
        for hold in result.holds.values():
            hold.is_new = False

    def stand_at(self, sequence: int, transaction_id: UUID, booked_at: datetime) -> None:
        """The ledger has gone on without this poster, so nothing that was known holds any more."""
        self.by_address.clear()
        self.by_id.clear()
        self.outcomes.clear()
        self.last_sequence, self.last_id, self.last_booked_at = sequence, transaction_id, booked_at

    def drop_oldest(self, needed: BatchResult | None) -> None:
        """Make room. What the batch under way changed stays: its rows cannot be read yet."""
        if len(self.outcomes) > OUTCOMES_KEPT:
            kept_outcomes = max(OUTCOMES_KEPT // 2, len(needed.recorded) if needed is not None else 0)
            for key in list(islice(self.outcomes, max(len(self.outcomes) - kept_outcomes, 0))):
                del self.outcomes[key]
        if len(self.by_id) <= KEPT:
            return
        kept = needed.accounts if needed is not None else {}
        for account in [one for one in self.by_id.values() if one.id not in kept][: len(self.by_id) - KEPT // 2]:
            del self.by_id[account.id]
            del self.by_address[account.address]
