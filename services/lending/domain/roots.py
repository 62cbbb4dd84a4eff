"""Solving for the growth at which dated amounts balance: what APR, XIRR and IRR have in common."""

import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

from shared.money import exact

Flow = tuple[Fraction, Decimal]
"""An amount and the time, in years or periods, at which it moves."""

_WIDEST: Final = 1e6
_TOLERANCE: Final = 1e-13
_NEWTON_STEPS: Final = 3


def log_growth(flows: Sequence[Flow]) -> Decimal | None:
    """The δ for which Σ amount · e^(-δ·time) = 0; of several the one nearest to zero, None where there is none.

    1 + rate = e^δ. Solving for δ keeps huge and tiny rates equally well scaled. A search in floats finds the root, a
    few Newton steps in Decimal make it exact to far more digits than are shown.
    """
    scale = max((abs(amount) for _, amount in flows), default=Decimal(0))
    if not any(amount > 0 for _, amount in flows) or not any(amount < 0 for _, amount in flows):
        return None
    points = [(float(time), float(amount / scale)) for time, amount in flows]
    rough = _nearest_root(points)
    return None if rough is None else _polish(flows, Decimal(rough))


def _value(points: Sequence[tuple[float, float]], delta: float) -> float:
    """The sum, times e^(δ·some time) so that no exponent overflows: only its sign and its zeros matter."""
    shift = max(-delta * time for time, _ in points)
    return math.fsum(amount * math.exp(-delta * time - shift) for time, amount in points)


def _nearest_root(points: Sequence[tuple[float, float]]) -> float | None:
    at_zero = _value(points, 0.0)
    if abs(at_zero) < _TOLERANCE * 1e-3:
        return 0.0
    inner, step = 0.0, 0.05
    while inner < _WIDEST:
        outer = inner + step
        for sign in (1.0, -1.0):
            low, high = sign * inner, sign * outer
            if (_value(points, low) < 0) != (_value(points, high) < 0):
                return _bisect(points, low, high)
        inner, step = outer, step * 1.25
    return None


def _bisect(points: Sequence[tuple[float, float]], low: float, high: float) -> float:
    low_is_negative = _value(points, low) < 0
    for _ in range(200):
        middle = (low + high) / 2
        if (_value(points, middle) < 0) == low_is_negative:
            low = middle
        else:
            high = middle
        if abs(high - low) <= _TOLERANCE * max(1.0, abs(middle)):
            break
    return (low + high) / 2


def _polish(flows: Sequence[Flow], delta: Decimal) -> Decimal:
    with exact():
        times = [Decimal(time.numerator) / time.denominator for time, _ in flows]
        for _ in range(_NEWTON_STEPS):
            terms = [amount * (-delta * time).exp() for time, (_, amount) in zip(times, flows, strict=True)]
            slope = -sum((time * term for time, term in zip(times, terms, strict=True)), Decimal(0))
            if slope == 0:
                break
            step = sum(terms, Decimal(0)) / slope
            if abs(step) > Decimal("1e-6") * max(Decimal(1), abs(delta)):
                break
            delta -= step
        return delta
