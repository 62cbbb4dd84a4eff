"""The ledger moved money of a provider's account."""

from services.payments.context import Context
from shared.contracts.wallet_ledger.account_events import ProviderAccountMoved
from shared.messaging.consumer import Delivery


async def remember_movement(context: Context, delivery: Delivery[ProviderAccountMoved]) -> None:
    """Keep it, to be compared with what the provider reports."""
    async with context.unit_of_work(delivery) as work:
        await work.bookings.remember(delivery.message)
