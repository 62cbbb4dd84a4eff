"""Rounding, writing and reading amounts."""

from decimal import ROUND_FLOOR, Decimal, getcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.money import (
    MAX_AMOUNT_MINOR,
    UnknownCurrency,
    currency,
    exact,
    format_minor,
    minor_from_major,
    round_to_minor,
    round_to_multiple,
)


@pytest.mark.parametrize(
    ("code", "exponent"),
    [("KES", 2), ("NGN", 2), ("USD", 2), ("IRR", 2), ("TZS", 2), ("UGX", 0), ("RWF", 0), ("JPY", 0), ("KWD", 3), ("CLF", 4)],
)
def test_exponents(code: str, exponent: int) -> None:
    assert currency(code).exponent == exponent
    assert currency(code).minor_per_major == 10**exponent


@pytest.mark.parametrize("code", ["", "kes", "KESX", "ABC", "XXX"])
def test_unknown_currencies(code: str) -> None:
    with pytest.raises(UnknownCurrency):
        currency(code)


@pytest.mark.parametrize(
    ("amount_minor", "code", "written"),
    [
        (12_500, "KES", "125.00"),
        (5, "KES", "0.05"),
        (0, "KES", "0.00"),
        (-5, "KES", "-0.05"),
        (125, "JPY", "125"),
        (-125, "JPY", "-125"),
        (1_234, "KWD", "1.234"),
        (MAX_AMOUNT_MINOR, "USD", "10000000000000.00"),
    ],
)
def test_format(amount_minor: int, code: str, written: str) -> None:
    assert format_minor(amount_minor, code) == written


@given(st.integers(-MAX_AMOUNT_MINOR, MAX_AMOUNT_MINOR), st.sampled_from(["KES", "JPY", "KWD", "CLF"]))
def test_what_is_written_is_read_back(amount_minor: int, code: str) -> None:
    assert minor_from_major(format_minor(amount_minor, code), code) == amount_minor


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [("0.5", 0), ("1.5", 2), ("2.5", 2), ("2.500000000000000000000000000001", 3), ("-0.5", 0), ("-1.5", -2)],
)
def test_half_goes_to_the_even_neighbour(amount: str, rounded: int) -> None:
    assert round_to_minor(Decimal(amount)) == rounded


def test_other_roundings() -> None:
    assert round_to_minor(Decimal("2.9"), ROUND_FLOOR) == 2
    assert round_to_multiple(Decimal(30491), 100) == 30_500
    assert round_to_multiple(Decimal("30449.9"), 100, ROUND_FLOOR) == 30_400


def test_the_callers_context_is_left_alone() -> None:
    before = getcontext().prec
    with exact():
        assert Decimal(1) / 3 == Decimal("0." + "3" * 50)
    assert getcontext().prec == before
