"""Day counts: which part of a year lies between two days."""

from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Final


class DayCount(StrEnum):
    """How days become a fraction of a year.

    `30/360` counts every whole month as 30 days of a year of 360; the others count real days, over a fixed year or,
    for `act/act`, over the length of the calendar year that each day lies in.
    """

    THIRTY_360 = "30/360"
    ACT_365 = "act/365"
    ACT_360 = "act/360"
    ACT_364 = "act/364"
    ACT_ACT = "act/act"


_DAYS_IN_FIXED_YEAR: Final = {DayCount.ACT_365: 365, DayCount.ACT_360: 360, DayCount.ACT_364: 364}


def year_fraction(day_count: DayCount, starts_on: date, ends_on: date) -> Fraction:
    """The exact part of a year from `starts_on` (included) to `ends_on` (not included).

    For `30/360` this is the European rule: the 31st counts as the 30th.
    """
    if day_count is DayCount.THIRTY_360:
        return Fraction(_thirty_360_days(starts_on, ends_on), 360)
    if day_count is DayCount.ACT_ACT:
        return _act_act(starts_on, ends_on)
    return Fraction((ends_on - starts_on).days, _DAYS_IN_FIXED_YEAR[day_count])


def _thirty_360_days(starts_on: date, ends_on: date) -> int:
    months = (ends_on.year - starts_on.year) * 12 + ends_on.month - starts_on.month
    return 30 * months + min(ends_on.day, 30) - min(starts_on.day, 30)


def _act_act(starts_on: date, ends_on: date) -> Fraction:
    fraction = Fraction(0)
    while starts_on < ends_on:
        new_year = date(starts_on.year + 1, 1, 1)
        part_ends_on = min(new_year, ends_on)
        days_in_year = (new_year - date(starts_on.year, 1, 1)).days
        fraction += Fraction((part_ends_on - starts_on).days, days_in_year)
        starts_on = part_ends_on
    return fraction
