"""Which message goes to which use case."""

from services.payments.commands.follow_level import follow_level
from services.payments.commands.remember_movement import remember_movement
from services.payments.commands.remember_wallet import follow_wallet_status, remember_wallet
from services.payments.commands.run_payout import run_payout
from services.payments.commands.settle_transaction import settle_transaction
from services.payments.commands.sync_deposit import sync_deposit_on_request
from services.payments.personal_data import PERSONAL_DATA
from shared.contracts.auth.kyc_events import KycLevelChanged
from shared.contracts.payments.provider_commands import RunPayout, SyncDeposit
from shared.contracts.wallet_ledger.account_events import ProviderAccountMoved, WalletStatusChanged
from shared.contracts.wallet_ledger.transaction_events import TransactionPosted, TransactionRejected
from shared.contracts.wallet_ledger.wallet_events import WalletOpened
from shared.messaging.consumer import ConsumerTable
from shared.privacy import privacy_consumers

CONSUMERS: ConsumerTable = {
    WalletOpened: remember_wallet,
    WalletStatusChanged: follow_wallet_status,
    ProviderAccountMoved: remember_movement,
    TransactionPosted: settle_transaction,
    TransactionRejected: settle_transaction,
    KycLevelChanged: follow_level,
    SyncDeposit: sync_deposit_on_request,
    RunPayout: run_payout,
    **privacy_consumers(PERSONAL_DATA),
}
