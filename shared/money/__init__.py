"""Money: integers of minor units, ISO 4217 exponents, one rounding rule and exact splitting."""

from shared.money.amounts import (
    MAX_AMOUNT_MINOR,
    MIN_AMOUNT_MINOR,
    exact,
    format_minor,
    minor_from_major,
    round_to_minor,
    round_to_multiple,
)
from shared.money.currencies import Currency, UnknownCurrency, currency, currency_codes
from shared.money.split import split_by_largest_remainder

__all__ = [
    "MAX_AMOUNT_MINOR",
    "MIN_AMOUNT_MINOR",
    "Currency",
    "UnknownCurrency",
    "currency",
    "currency_codes",
    "exact",
    "format_minor",
    "minor_from_major",
    "round_to_minor",
    "round_to_multiple",
    "split_by_largest_remainder",
]
