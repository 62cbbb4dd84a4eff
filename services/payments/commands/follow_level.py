"""Somebody is known better or worse than before: that sets how much they may pay in and out a day."""

from services.payments.context import Context
from shared.contracts.auth.kyc_events import KycLevelChanged
from shared.messaging.consumer import Delivery


async def follow_level(context: Context, delivery: Delivery[KycLevelChanged]) -> None:
    """Note the limits."""
    known = delivery.message
    async with context.unit_of_work(delivery) as work:
        await work.daily_limits.remember(
            known.user_id, known.level, known.daily_deposits_major, known.daily_withdrawals_major, known.changed_at
        )
