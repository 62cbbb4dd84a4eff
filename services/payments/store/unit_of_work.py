"""The unit of work of payments: its stores, on one transaction."""

from services.payments.store.deposits import DepositStore
from services.payments.store.provider_records import ProviderRecords
from services.payments.store.wallets import WalletStore
from services.payments.store.withdrawals import WithdrawalStore
from shared.db.unit_of_work import UnitOfWork
from shared.sagas import SagaStore


class PaymentsWork(UnitOfWork):
    """One transaction of payments."""

    deposits: DepositStore
    withdrawals: WithdrawalStore
    wallets: WalletStore
    provider_records: ProviderRecords
    sagas: SagaStore

    def open_stores(self) -> None:
        """Make the stores on this transaction's connection."""
        self.deposits = DepositStore(self.connection)
        self.withdrawals = WithdrawalStore(self.connection)
        self.wallets = WalletStore(self.connection)
        self.provider_records = ProviderRecords(self.connection)
        self.sagas = SagaStore(self.connection)
