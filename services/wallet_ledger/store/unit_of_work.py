"""The unit of work of wallet-ledger: its stores, on one transaction. Money is posted by the poster, never here."""

from typing import Any

from services.wallet_ledger.store.account_controls import AccountControls
from services.wallet_ledger.store.adjustments import AdjustmentStore
from services.wallet_ledger.store.people import PeopleStore
from services.wallet_ledger.store.wallet_uses import WalletUses
from services.wallet_ledger.store.wallets import WalletStore
from shared.clock import Clock
from shared.crypto import Vault
from shared.db import Database
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.consumer import Delivery


class LedgerWork(UnitOfWork):
    """One transaction of wallet-ledger."""

    wallets: WalletStore
    people: PeopleStore
    controls: AccountControls
    wallet_uses: WalletUses
    adjustments: AdjustmentStore

    def __init__(self, database: Database, clock: Clock, vault: Vault, *, delivery: Delivery[Any] | None = None) -> None:
        super().__init__(database, clock, delivery=delivery)
        self._vault = vault

    def open_stores(self) -> None:
        """Make the stores on this transaction's connection."""
        self.wallets = WalletStore(self.connection)
        self.people = PeopleStore(self.connection, self._vault)
        self.controls = AccountControls(self.connection)
        self.wallet_uses = WalletUses(self.connection)
        self.adjustments = AdjustmentStore(self.connection)
