"""Which message goes to which use case."""

from services.lending.commands.hear_ledger import hear_ledger
from services.lending.commands.project_people import (
    project_kyc_approval,
    project_kyc_expiry,
    project_kyc_rejection,
    project_kyc_submission,
    project_registration,
    project_wallet,
)
from services.lending.personal_data import PERSONAL_DATA
from shared.contracts.auth.kyc_events import KycApproved, KycExpired, KycRejected, KycSubmitted
from shared.contracts.auth.user_events import UserRegistered
from shared.contracts.wallet_ledger.transaction_events import TransactionPosted, TransactionRejected
from shared.contracts.wallet_ledger.wallet_events import WalletOpened
from shared.messaging.consumer import ConsumerTable
from shared.privacy import privacy_consumers

CONSUMERS: ConsumerTable = {
    UserRegistered: project_registration,
    KycSubmitted: project_kyc_submission,
    KycApproved: project_kyc_approval,
    KycRejected: project_kyc_rejection,
    KycExpired: project_kyc_expiry,
    WalletOpened: project_wallet,
    TransactionPosted: hear_ledger,
    TransactionRejected: hear_ledger,
    **privacy_consumers(PERSONAL_DATA),
}
