"""The unit of work of payments: its stores, on one transaction."""

from services.payments.store.bookings import Bookings
from services.payments.store.daily_limits import DailyLimits
from services.payments.store.deposits import DepositStore
from services.payments.store.payout_destinations import PayoutDestinations
from services.payments.store.provider_records import ProviderRecords
from services.payments.store.reconciliations import ReconciliationStore
from services.payments.store.settlement_files import SettlementFiles
from services.payments.store.settlements import SettlementStore
from services.payments.store.wallets import WalletStore
from services.payments.store.withdrawals import WithdrawalStore
from shared.db.unit_of_work import UnitOfWork
from shared.sagas import SagaStore


class PaymentsWork(UnitOfWork):
    """One transaction of payments."""

    deposits: DepositStore
    withdrawals: WithdrawalStore
    payout_destinations: PayoutDestinations
    wallets: WalletStore
    daily_limits: DailyLimits
    provider_records: ProviderRecords
    sagas: SagaStore
    bookings: Bookings
    settlements: SettlementStore
    settlement_files: SettlementFiles
    reconciliations: ReconciliationStore

    def open_stores(self) -> None:
        """Make the stores on this transaction's connection."""
        self.deposits = DepositStore(self.connection)
        self.withdrawals = WithdrawalStore(self.connection)
        self.payout_destinations = PayoutDestinations(self.connection)
        self.wallets = WalletStore(self.connection)
        self.daily_limits = DailyLimits(self.connection)
        self.provider_records = ProviderRecords(self.connection)
        self.sagas = SagaStore(self.connection)
        self.bookings = Bookings(self.connection)
        self.settlements = SettlementStore(self.connection)
        self.settlement_files = SettlementFiles(self.connection)
        self.reconciliations = ReconciliationStore(self.connection)
