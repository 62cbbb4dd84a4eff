"""Due dates: counted from one seed day, so that 31 January is followed by 28 February and then by 31 March."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class FrequencyUnit(StrEnum):
    """What the distance between two due dates is counted in."""

    MONTHS = "months"
    WEEKS = "weeks"
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class Frequency:
    """An installment falls due every `every` units."""

    unit: FrequencyUnit
    every: int

    def after(self, seed: date, periods: int) -> date:
        """The day `periods` periods after `seed` (before it, when negative)."""
        count = self.every * periods
        if self.unit is FrequencyUnit.MONTHS:
            return add_months(seed, count)
        return seed + timedelta(days=count * (7 if self.unit is FrequencyUnit.WEEKS else 1))


MONTHLY = Frequency(FrequencyUnit.MONTHS, 1)


def add_months(seed: date, months: int) -> date:
    """The same day of the month `months` later, or that month's last day when it is shorter."""
    year, month_index = divmod(seed.year * 12 + seed.month - 1 + months, 12)
    return date(year, month_index + 1, min(seed.day, monthrange(year, month_index + 1)[1]))


def due_dates(disbursed_on: date, first_due_on: date | None, frequency: Frequency, count: int) -> list[date]:
    """`count` due dates. They follow from the first due day where one is given, else from the day of disbursal.

    A loan of 31 January without a first due day is thus due on 28 February, 31 March, 30 April.
    """
    if first_due_on is None:
        return [frequency.after(disbursed_on, number) for number in range(1, count + 1)]
    return [frequency.after(first_due_on, number) for number in range(count)]
