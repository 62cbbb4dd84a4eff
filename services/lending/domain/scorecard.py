"""The credit scorecard: points for each factor, added up, and what they say about the odds of being repaid.

600 points are odds of 50 to 1, and 20 points more double them. Every factor is about money or about how somebody
dealt with it. There is no age, sex, origin, religion, health, family, language or address in it, nor anything that
stands in for one: a pension counts as regular income like a salary.
"""

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from services.lending.domain.credit_inputs import CreditInputs
from services.lending.domain.scorecard_factors import FACTORS, Band
from shared.money import exact, round_to_minor

MODEL_VERSION: Final = "scorecard-1"
BASE_POINTS: Final = 480
REFERENCE_SCORE: Final = 600
REFERENCE_ODDS: Final = Decimal(50)
POINTS_TO_DOUBLE_ODDS: Final = 20


@dataclass(frozen=True, slots=True)
class FactorScore:
    """What a factor contributed. `next_points` would be reached by doing what `advice` says; equal when at the best."""

    factor: str
    points: int
    best_points: int
    reason: str
    advice: str
    next_points: int

    @property
    def shortfall(self) -> int:
        return self.best_points - self.points


@dataclass(frozen=True, slots=True)
class Score:
    """`default_probability` is a fraction, to six decimals. `factors` are in the order of the model."""

    points: int
    default_probability: Decimal
    factors: tuple[FactorScore, ...]
    model_version: str = MODEL_VERSION

    @property
    def reasons(self) -> tuple[FactorScore, ...]:
        """The four factors, at most, that cost the most points."""
        costly = [factor for factor in self.factors if factor.shortfall > 0]
        return tuple(sorted(costly, key=lambda factor: -factor.shortfall)[:4])


def assess(inputs: CreditInputs) -> Score:
    """The score of an applicant, with what each factor contributed."""
    factors = tuple(_score_factor(factor, bands, inputs) for factor, bands in FACTORS.items())
    points = BASE_POINTS + sum(factor.points for factor in factors)
    return Score(points, default_probability(points), factors)


def default_probability(points: int) -> Decimal:
    """1 / (1 + odds), where 600 points are odds of 50 and every 20 points double them."""
    with exact():
        doublings = Decimal(points - REFERENCE_SCORE) / POINTS_TO_DOUBLE_ODDS
        odds = REFERENCE_ODDS * Decimal(2) ** doublings
        return (1 / (1 + odds)).quantize(Decimal("0.000001"))


def points_for(probability: Decimal) -> int:
    """The fewest points whose default probability is at most `probability`."""
    with exact():
        odds = (1 - probability) / probability
        doublings = (odds / REFERENCE_ODDS).ln() / Decimal(2).ln()
        points = round_to_minor(REFERENCE_SCORE + POINTS_TO_DOUBLE_ODDS * doublings, ROUND_FLOOR)
    while default_probability(points) > probability:
        points += 1
    return points


def _score_factor(factor: str, bands: tuple[Band, ...], inputs: CreditInputs) -> FactorScore:
    index = next(index for index, band in enumerate(bands) if band.holds(inputs))
    band, next_band = bands[index], bands[max(0, index - 1)]
    return FactorScore(factor, band.points, bands[0].points, band.reason, band.advice, next_band.points)
