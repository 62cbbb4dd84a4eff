"""Amounts: the limits of one amount, rounding to the minor unit, and how an amount is written."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, InvalidOperation, Overflow, localcontext
from typing import Final

from shared.money.currencies import currency

MIN_AMOUNT_MINOR: Final = 1
MAX_AMOUNT_MINOR: Final = 10**15

# The largest amount times a rate of a dozen digits times a number of days fits without rounding, so that only the
# final division and the rounding to the minor unit are inexact.
_CONTEXT: Final = Context(prec=50, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow])


@contextmanager
def exact() -> Iterator[None]:
    """Decimal arithmetic with 50 digits inside the block; the caller's own context is left as it was."""
    with localcontext(_CONTEXT):
        yield


def round_to_minor(amount: Decimal, rounding: str = ROUND_HALF_EVEN) -> int:
    """`amount`, already in minor units, as a whole number of them."""
    return int(amount.to_integral_value(rounding=rounding))


def round_to_multiple(amount: Decimal, multiple_minor: int, rounding: str = ROUND_HALF_EVEN) -> int:
    """The multiple of `multiple_minor` nearest to `amount`; both in minor units."""
    with exact():
        return round_to_minor(amount / multiple_minor, rounding) * multiple_minor


def minor_from_major(amount: Decimal | str, code: str) -> int:
    """`"125.00"` KES is 12500. Digits beyond the currency's exponent are rounded half to even."""
    with exact():
        return round_to_minor(Decimal(amount).scaleb(currency(code).exponent))


def format_minor(amount_minor: int, code: str) -> str:
    """12500 KES is `"125.00"`, 125 JPY is `"125"`: digits and a point only, no code and no grouping."""
    exponent = currency(code).exponent
    digits = str(abs(amount_minor)).zfill(exponent + 1)
    sign = "-" if amount_minor < 0 else ""
    if exponent == 0:
        return f"{sign}{digits}"
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}"
