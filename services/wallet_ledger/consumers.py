"""Which message goes to which use case."""

from services.wallet_ledger.commands.post_transaction import post_transaction
from services.wallet_ledger.commands.remember_person import update_person, welcome_person
from shared.contracts.auth.user_events import UserRegistered, UserUpdated
from shared.contracts.wallet_ledger.transaction_commands import PostTransaction
from shared.messaging.consumer import ConsumerTable

CONSUMERS: ConsumerTable = {
    UserRegistered: welcome_person,
    UserUpdated: update_person,
    PostTransaction: post_transaction,
}
