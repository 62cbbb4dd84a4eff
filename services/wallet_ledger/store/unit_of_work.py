"""The unit of work of wallet-ledger: its stores, on one transaction. Money is posted by the poster, never here."""

from services.wallet_ledger.store.account_controls import AccountControls
from services.wallet_ledger.store.adjustments import AdjustmentStore
from services.wallet_ledger.store.people import PeopleStore
from services.wallet_ledger.store.wallet_uses import WalletUses
from services.wallet_ledger.store.wallets import WalletStore
from shared.db.unit_of_work import UnitOfWork


class LedgerWork(UnitOfWork):
    """One transaction of wallet-ledger."""

    wallets: WalletStore
    people: PeopleStore
    controls: AccountControls
    wallet_uses: WalletUses
    adjustments: AdjustmentStore

    def open_stores(self) -> None:
        """Make the stores on this transaction's connection."""
        self.wallets = WalletStore(self.connection)
        self.people = PeopleStore(self.connection)
        self.controls = AccountControls(self.connection)
        self.wallet_uses = WalletUses(self.connection)
        self.adjustments = AdjustmentStore(self.connection)
