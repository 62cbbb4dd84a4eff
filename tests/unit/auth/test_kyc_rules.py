"""How long an identity check holds, and how well somebody is known."""

from datetime import date
from itertools import pairwise

import pytest

from services.auth.domain.kyc import expiry_of
from services.auth.domain.kyc_levels import LEVELS, level_of


@pytest.mark.parametrize(
    ("decided", "months", "last"),
    [
        (date(2026, 1, 15), 24, date(2028, 1, 15)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2027, 12, 31), 2, date(2028, 2, 29)),
        (date(2026, 11, 30), 1, date(2026, 12, 30)),
        (date(2026, 12, 31), 12, date(2027, 12, 31)),
    ],
)
def test_the_last_day_of_an_approval(decided: date, months: int, last: date) -> None:
    assert expiry_of(decided, months) == last


def test_levels_are_ordered_and_never_allow_less() -> None:
    assert [level.number for level in LEVELS] == list(range(len(LEVELS)))
    for lower, higher in pairwise(LEVELS):
        for name in ("daily_deposits_major", "daily_withdrawals_major"):
            less, more = getattr(lower, name), getattr(higher, name)
            assert more is None or (less is not None and less <= more)
    assert level_of(contact_confirmed=False, approved_level=None).number == 0
    assert level_of(contact_confirmed=True, approved_level=None).number == 1
    assert level_of(contact_confirmed=True, approved_level=3).number == 3
