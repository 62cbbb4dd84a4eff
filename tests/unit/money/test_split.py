"""Splitting by largest remainder."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.money import MAX_AMOUNT_MINOR, split_by_largest_remainder

weights = st.lists(st.integers(0, MAX_AMOUNT_MINOR), min_size=1, max_size=30).filter(any)


@given(st.integers(0, MAX_AMOUNT_MINOR), weights)
def test_parts_sum_to_the_whole_and_stay_within_one_unit_of_their_share(total: int, weights: list[int]) -> None:
    parts = split_by_largest_remainder(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * sum(weights) - total * weight) < sum(weights)
        assert weight or not part


@given(weights, st.data())
def test_no_part_exceeds_its_weight(weights: list[int], data: st.DataObject) -> None:
    total = data.draw(st.integers(0, sum(weights)))
    parts = split_by_largest_remainder(total, weights)
    assert all(part <= weight for part, weight in zip(parts, weights, strict=True))


def test_ties_go_to_the_first_listed() -> None:
    assert split_by_largest_remainder(2, [1, 1, 1]) == [1, 1, 0]


def test_fractions_as_weights() -> None:
    assert split_by_largest_remainder(10, [Decimal("0.25"), Decimal("0.125"), Decimal("0.125")]) == [5, 3, 2]


def test_nothing_to_split() -> None:
    assert split_by_largest_remainder(0, []) == []
    assert split_by_largest_remainder(0, [0, 0]) == [0, 0]


@pytest.mark.parametrize(("total", "weights"), [(1, []), (1, [0, 0]), (-1, [1]), (1, [2, -1])])
def test_what_cannot_be_split(total: int, weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weight"):
        split_by_largest_remainder(total, weights)
