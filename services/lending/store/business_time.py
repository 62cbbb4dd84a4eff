"""The present instant on the platform's business calendar."""

from datetime import datetime

from services.lending.store.business_days import BusinessDayStore


async def business_now(business_days: BusinessDayStore, real: datetime) -> datetime:
    """The real instant, or in a simulation that has run ahead the same time of day on the last closed business date."""
    today = await business_days.today(real.date())
    return real if today == real.date() else datetime.combine(today, real.timetz())
