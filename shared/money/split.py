"""Splitting an amount so that the parts always sum to the whole."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import lcm


def split_by_largest_remainder(total: int, weights: Sequence[int | Decimal]) -> list[int]:
    """Split `total` minor units in proportion to `weights`, one part a weight, in the order given.

    Each exact share is floored; the units left over go one each to the largest remainders, ties to the first listed.
    No part exceeds its weight as long as `total` is at most the sum of (whole) weights.

    Raises `ValueError` for a negative total or weight, and when there is something to split but all weights are zero.
    """
    if total < 0 or any(weight < 0 for weight in weights):
        raise ValueError("neither the total nor a weight may be negative")
    if total == 0:
        return [0] * len(weights)
    # All weights scaled to whole numbers, so that every share is an integer division with an exact remainder.
    fractions = [Fraction(weight) for weight in weights]
    scale = lcm(*(fraction.denominator for fraction in fractions))
    whole_weights = [int(fraction * scale) for fraction in fractions]
    weight_sum = sum(whole_weights)
    if weight_sum == 0:
        raise ValueError("there must be a weight above zero to split anything")
    shares, remainders = [], []
    for weight in whole_weights:
        share, remainder = divmod(total * weight, weight_sum)
        shares.append(share)
        remainders.append(remainder)
    left_over = total - sum(shares)
    by_remainder = sorted(range(len(shares)), key=lambda index: -remainders[index])
    for index in by_remainder[:left_over]:
        shares[index] += 1
    return shares
