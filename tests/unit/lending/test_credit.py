"""The scorecard, grades and rates."""

from dataclasses import fields, replace
from decimal import Decimal

import pytest

from services.lending.domain.credit_inputs import CreditInputs, IncomeKind, Verification, income_kind
from services.lending.domain.pricing import (
    HIGHEST_DEFAULT_PROBABILITY,
    Grade,
    Pricing,
    annual_rate,
    grade_for,
    improvements,
    points_to_next_grade,
    rate_text,
)
from services.lending.domain.scorecard import BASE_POINTS, assess, default_probability, points_for

GOOD = CreditInputs(
    employment_status="employed",
    annual_income_minor=120_000_000,
    monthly_obligations_minor=500_000,
    installment_minor=900_000,
    loans_repaid=0,
    worst_days_past_due=0,
    defaults=0,
    months_since_first_loan=None,
    recent_inquiries=0,
    outstanding_here_minor=0,
    verification=Verification.IDENTITY,
)
PRICING = Pricing(Decimal("0.08"), Decimal("0.01"), Decimal("0.60"), Decimal("0.02"))


def test_the_scale() -> None:
    assert default_probability(600) == Decimal("0.019608")  # 1 / 51
    assert default_probability(620) == Decimal("0.009901")  # 1 / 101
    assert default_probability(580) == Decimal("0.038462")  # 1 / 26


@pytest.mark.parametrize("grade", HIGHEST_DEFAULT_PROBABILITY)
def test_the_fewest_points_of_a_grade(grade: Grade) -> None:
    points = points_for(HIGHEST_DEFAULT_PROBABILITY[grade])
    assert grade_for(default_probability(points)) is grade
    assert grade_for(default_probability(points - 1)) is not grade


def test_a_grade_includes_its_limit() -> None:
    assert grade_for(Decimal("0.015")) is Grade.A
    assert grade_for(Decimal("0.015001")) is Grade.B
    assert grade_for(Decimal("0.200001")) is Grade.G


def test_the_score_is_the_sum_of_its_factors() -> None:
    score = assess(GOOD)
    assert score.points == BASE_POINTS + sum(factor.points for factor in score.factors)
    assert score.default_probability == default_probability(score.points)
    assert grade_for(score.default_probability) is Grade.B


def test_reasons_are_the_four_costliest_factors() -> None:
    reasons = assess(replace(GOOD, employment_status="unemployed", recent_inquiries=9)).reasons
    assert [reason.factor for reason in reasons] == [
        "income_stability",
        "recent_inquiries",
        "repayment_history",
        "credit_age",
    ]
    assert all(reason.shortfall > 0 for reason in reasons)
    assert [reason.shortfall for reason in reasons] == sorted((r.shortfall for r in reasons), reverse=True)


def test_a_perfect_record_has_no_reasons_and_nothing_to_improve() -> None:
    best = assess(
        replace(GOOD, loans_repaid=5, months_since_first_loan=40, verification=Verification.BANK_DATA, installment_minor=0)
    )
    assert best.reasons == ()
    assert improvements(best) == ()
    assert points_to_next_grade(best) is None


@pytest.mark.parametrize(
    "worse",
    [
        {"employment_status": "unemployed"},
        {"monthly_obligations_minor": 9_000_000},
        {"annual_income_minor": 0},
        {"worst_days_past_due": 10},
        {"worst_days_past_due": 45},
        {"worst_days_past_due": 90},
        {"defaults": 1},
        {"recent_inquiries": 3},
        {"outstanding_here_minor": 100_000_000},
        {"verification": Verification.NONE},
    ],
)
def test_what_lowers_the_score(worse: dict) -> None:
    assert assess(replace(GOOD, **worse)).points < assess(GOOD).points


def test_doing_as_advised_gains_the_points_that_were_named() -> None:
    step = next(step for step in improvements(assess(GOOD)) if step.factor == "verification")
    improved = assess(replace(GOOD, verification=Verification.BANK_DATA))
    assert improved.points == assess(GOOD).points + step.points
    assert step.next_grade is grade_for(improved.default_probability)


def test_the_next_grade_is_as_far_as_named() -> None:
    score = assess(GOOD)
    missing = points_to_next_grade(score)
    assert missing is not None
    assert grade_for(default_probability(score.points + missing)) is Grade.A
    assert grade_for(default_probability(score.points + missing - 1)) is Grade.B


def test_nothing_about_the_person_is_an_input() -> None:
    assert {field.name for field in fields(CreditInputs)} == {
        "employment_status", "annual_income_minor", "monthly_obligations_minor", "installment_minor", "loans_repaid",
        "worst_days_past_due", "defaults", "months_since_first_loan", "recent_inquiries", "outstanding_here_minor",
        "verification",
    }  # fmt: skip
    assert income_kind("retired") is income_kind("employed")


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("Employed", IncomeKind.REGULAR),
        ("full-time", IncomeKind.REGULAR),
        ("Self Employed", IncomeKind.VARIABLE),
        ("unemployed", IncomeKind.NONE),
        ("juggler", IncomeKind.OCCASIONAL),
    ],
)
def test_kinds_of_income(word: str, kind: IncomeKind) -> None:
    assert income_kind(word) is kind


def test_the_rate_of_a_grade() -> None:
    assert annual_rate(Grade.A, PRICING) == Decimal("0.1160")
    assert annual_rate(Grade.B, PRICING) == Decimal("0.1235")
    rates = [annual_rate(grade, PRICING) for grade in Grade]
    assert rates == sorted(rates)


@pytest.mark.parametrize(
    ("rate", "shown"), [("0.185", "0.1850"), ("1E+1", "10.0000"), ("0", "0.0000"), ("0.12345600", "0.123456")]
)
def test_rates_are_shown_with_four_decimals_at_least(rate: str, shown: str) -> None:
    assert rate_text(Decimal(rate)) == shown
