"""From a score to a grade, a rate, and what would make the grade better."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from services.lending.domain.scorecard import FactorScore, Score, points_for
from shared.money import exact


class Grade(StrEnum):
    """Risk grades, best first. G is declined, or decided by hand."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"
    G = "G"


HIGHEST_DEFAULT_PROBABILITY: Final = {
    Grade.A: Decimal("0.015"),
    Grade.B: Decimal("0.03"),
    Grade.C: Decimal("0.055"),
    Grade.D: Decimal("0.09"),
    Grade.E: Decimal("0.14"),
    Grade.F: Decimal("0.20"),
}

GRADE_DEFAULT_PROBABILITY: Final = {
    Grade.A: Decimal("0.0100"),
    Grade.B: Decimal("0.0225"),
    Grade.C: Decimal("0.0425"),
    Grade.D: Decimal("0.0725"),
    Grade.E: Decimal("0.1150"),
    Grade.F: Decimal("0.1700"),
    Grade.G: Decimal("0.2500"),
}
"""What loans of a grade are priced at, so that everybody in a grade gets the same rate."""

_RATE_QUANTUM: Final = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Pricing:
    """The parts of a rate, as fractions a year; `loss_given_default` is the share lost when a loan defaults."""

    base_rate: Decimal
    service_cost: Decimal
    loss_given_default: Decimal
    margin: Decimal


@dataclass(frozen=True, slots=True)
class Improvement:
    """One step that gains points; `next_grade` is the grade that it reaches by itself, None when that stays."""

    factor: str
    advice: str
    points: int
    next_grade: Grade | None


def grade_for(default_probability: Decimal) -> Grade:
    """The best grade whose limit the probability does not pass."""
    limits = HIGHEST_DEFAULT_PROBABILITY.items()
    return next((grade for grade, limit in limits if default_probability <= limit), Grade.G)


def annual_rate(grade: Grade, pricing: Pricing) -> Decimal:
    """Base + service cost + expected loss (default probability × loss given default) + margin, to four decimals."""
    with exact():
        expected_loss = GRADE_DEFAULT_PROBABILITY[grade] * pricing.loss_given_default
        return (pricing.base_rate + pricing.service_cost + expected_loss + pricing.margin).quantize(_RATE_QUANTUM)


def points_to_next_grade(score: Score) -> int | None:
    """How many points are missing for the next better grade; None for an A."""
    grade = grade_for(score.default_probability)
    if grade is Grade.A:
        return None
    grades = list(Grade)
    better = grades[grades.index(grade) - 1]
    return points_for(HIGHEST_DEFAULT_PROBABILITY[better]) - score.points


def improvements(score: Score) -> tuple[Improvement, ...]:
    """What would raise the score, the largest gain first."""
    steps = [_improvement(score, factor) for factor in score.factors if factor.next_points > factor.points]
    return tuple(sorted(steps, key=lambda step: -step.points))


def _improvement(score: Score, factor: FactorScore) -> Improvement:
    gain = factor.next_points - factor.points
    missing = points_to_next_grade(score)
    reaches = missing is not None and gain >= missing
    grade = _grade_of_points(score.points + gain) if reaches else None
    return Improvement(factor.factor, factor.advice, gain, grade)


def _grade_of_points(points: int) -> Grade:
    limits = HIGHEST_DEFAULT_PROBABILITY.items()
    return next((grade for grade, limit in limits if points >= points_for(limit)), Grade.G)


def rate_text(rate: Decimal) -> str:
    """A rate as people and messages see it: a decimal string with four decimals at least, such as 0.1850."""
    short = rate.quantize(_RATE_QUANTUM)
    return f"{short if short == rate else rate.normalize():f}"
