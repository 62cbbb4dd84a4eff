"""Which message goes to which use case."""

from services.wallet_ledger.commands import follow_wallet_uses as uses
from services.wallet_ledger.commands.post_transaction import post_transaction
from services.wallet_ledger.commands.remember_person import update_person, welcome_person
from services.wallet_ledger.personal_data import PERSONAL_DATA
from shared.contracts.auth.user_events import UserRegistered, UserUpdated
from shared.contracts.lending.investment_events import InvestmentHeld, InvestmentReleased
from shared.contracts.lending.loan_events import LoanCancelled, LoanDeclined, LoanExpired, LoanRepaid, LoanSubmitted
from shared.contracts.lending.wallet_use_events import WalletUseChanged
from shared.contracts.payments.deposit_events import DepositExpired, DepositFailed, DepositStarted, DepositSucceeded
from shared.contracts.payments.withdrawal_events import (
    WithdrawalCancelled,
    WithdrawalCompleted,
    WithdrawalFailed,
    WithdrawalRequested,
)
from shared.contracts.wallet_ledger.transaction_commands import PostTransaction
from shared.messaging.consumer import ConsumerTable
from shared.privacy import privacy_consumers

CONSUMERS: ConsumerTable = {
    UserRegistered: welcome_person,
    UserUpdated: update_person,
    PostTransaction: post_transaction,
    DepositStarted: uses.note_deposit,
    DepositSucceeded: uses.forget_deposit,
    DepositFailed: uses.forget_deposit,
    DepositExpired: uses.forget_deposit,
    WithdrawalRequested: uses.note_withdrawal,
    WithdrawalCompleted: uses.forget_withdrawal,
    WithdrawalFailed: uses.forget_withdrawal,
    WithdrawalCancelled: uses.forget_withdrawal,
    LoanSubmitted: uses.note_loan,
    LoanDeclined: uses.forget_loan,
    LoanCancelled: uses.forget_loan,
    LoanExpired: uses.forget_loan,
    LoanRepaid: uses.forget_loan,
    InvestmentHeld: uses.note_investment,
    InvestmentReleased: uses.forget_investment,
    WalletUseChanged: uses.follow_use,
    **privacy_consumers(PERSONAL_DATA),
}
