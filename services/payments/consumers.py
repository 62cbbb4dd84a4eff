"""Which message goes to which use case."""

from services.payments.commands.remember_wallet import remember_wallet
from services.payments.commands.run_payout import run_payout
from services.payments.commands.settle_transaction import settle_transaction
from services.payments.commands.sync_deposit import sync_deposit_on_request
from shared.contracts.payments.provider_commands import RunPayout, SyncDeposit
from shared.contracts.wallet_ledger.transaction_events import TransactionPosted, TransactionRejected
from shared.contracts.wallet_ledger.wallet_events import WalletOpened
from shared.messaging.consumer import ConsumerTable

CONSUMERS: ConsumerTable = {
    WalletOpened: remember_wallet,
    TransactionPosted: settle_transaction,
    TransactionRejected: settle_transaction,
    SyncDeposit: sync_deposit_on_request,
    RunPayout: run_payout,
}
