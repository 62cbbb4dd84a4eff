"""The ledger answered: let the deposit or withdrawal that asked go on."""

from uuid import UUID

from services.payments.commands.advance_deposit import settle_deposit
from services.payments.commands.advance_withdrawal import settle_withdrawal
from services.payments.context import Context
from shared.contracts.wallet_ledger.transaction_events import TransactionPosted, TransactionRejected
from shared.messaging.consumer import Delivery

_US = "payments"


async def settle_transaction(context: Context, delivery: Delivery[TransactionPosted | TransactionRejected]) -> None:
    """Take an outcome of a transaction that payments asked for; those of others are not our business."""
    outcome = delivery.message
    if outcome.requested_by != _US or outcome.reference is None:
        return
    kind, _, aggregate_id = outcome.reference.partition(":")
    settle = {"deposit": settle_deposit, "withdrawal": settle_withdrawal}[kind]
    async with context.unit_of_work(delivery) as work:
        await settle(work, UUID(aggregate_id), outcome)
