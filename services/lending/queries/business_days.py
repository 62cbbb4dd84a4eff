"""How far business has been closed."""

from dataclasses import dataclass
from datetime import date

from services.lending.context import Context


@dataclass(frozen=True)
class BusinessCalendar:
    """`today` is the business date that work done now belongs to."""

    today: date
    last_closed: date | None
    simulation: bool


async def get_business_calendar(context: Context) -> BusinessCalendar:
    """The business date, the last one that was closed, and whether later ones may be simulated."""
    async with context.read() as reading:
        last = await reading.business_days.last_closed()
        today = await reading.business_days.today(context.clock.now().date())
    return BusinessCalendar(today, last, context.settings.simulation)
