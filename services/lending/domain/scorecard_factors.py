"""The factors of the scorecard and the points of each: the model itself, as data. A change of it is a new model version."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from services.lending.domain.credit_inputs import CreditInputs, IncomeKind, Verification, income_kind


@dataclass(frozen=True, slots=True)
class Band:
    """Points for a factor whose value passes `holds`; the bands of a factor run from the best to the worst."""

    points: int
    holds: Callable[[CreditInputs], bool]
    reason: str
    advice: str = ""


def _income_is(kind: IncomeKind) -> Callable[[CreditInputs], bool]:
    return lambda inputs: income_kind(inputs.employment_status) is kind


def _burden_at_most(limit: str) -> Callable[[CreditInputs], bool]:
    return lambda inputs: inputs.debt_to_income is not None and inputs.debt_to_income <= Decimal(limit)


def _used_at_most(limit: str) -> Callable[[CreditInputs], bool]:
    return lambda inputs: inputs.utilisation is not None and inputs.utilisation <= Decimal(limit)


def _clean_record(loans_repaid: int) -> Callable[[CreditInputs], bool]:
    return lambda inputs: inputs.defaults == 0 and inputs.worst_days_past_due == 0 and inputs.loans_repaid >= loans_repaid


def _worst_lateness_at_most(days: int) -> Callable[[CreditInputs], bool]:
    return lambda inputs: inputs.defaults == 0 and inputs.worst_days_past_due <= days


def _known_for(months: int) -> Callable[[CreditInputs], bool]:
    return lambda inputs: inputs.months_since_first_loan is not None and inputs.months_since_first_loan >= months


def _inquiries_at_most(count: int) -> Callable[[CreditInputs], bool]:
    return lambda inputs: inputs.recent_inquiries <= count


def _verified(level: Verification) -> Callable[[CreditInputs], bool]:
    return lambda inputs: inputs.verification is level


def _always(_: CreditInputs) -> bool:
    return True


FACTORS: Final[dict[str, tuple[Band, ...]]] = {
    "income_stability": (
        Band(30, _income_is(IncomeKind.REGULAR), "Income is regular"),
        Band(18, _income_is(IncomeKind.VARIABLE), "Income varies", "Show a regular income"),
        Band(5, _income_is(IncomeKind.OCCASIONAL), "Income is occasional", "Show a steadier income"),
        Band(-10, _always, "There is no income from work or a pension", "Show an income"),
    ),
    "debt_to_income": (
        Band(40, _burden_at_most("0.20"), "Debt takes at most 20 % of income"),
        Band(30, _burden_at_most("0.30"), "Debt takes more than 20 % of income", "Bring debt to 20 % of income or less"),
        Band(15, _burden_at_most("0.40"), "Debt takes more than 30 % of income", "Bring debt to 30 % of income or less"),
        Band(-5, _burden_at_most("0.50"), "Debt takes more than 40 % of income", "Bring debt to 40 % of income or less"),
        Band(-30, _burden_at_most("0.60"), "Debt takes more than half of income", "Bring debt to half of income or less"),
        Band(-60, _always, "Debt takes more than 60 % of income", "Bring debt to 60 % of income or less"),
    ),
    "repayment_history": (
        Band(40, _clean_record(3), "Several loans here were repaid on time"),
        Band(30, _clean_record(1), "A loan here was repaid on time", "Repay three loans here on time"),
        Band(15, _clean_record(0), "No loan was repaid here yet", "Repay a loan here on time"),
        Band(0, _worst_lateness_at_most(30), "A payment here was late", "Build a record without late payments"),
        Band(-25, _worst_lateness_at_most(60), "A payment here was over 30 days late", "Pay within 30 days of every due date"),
        Band(
            -50, _worst_lateness_at_most(10_000), "A payment here was over 60 days late", "Pay within 60 days of every due date"
        ),
        Band(-120, _always, "A loan here defaulted", "Settle the loan that defaulted"),
    ),
    "credit_age": (
        Band(15, _known_for(36), "The first loan here is over three years old"),
        Band(10, _known_for(12), "The first loan here is under three years old", "Keep a record of three years"),
        Band(5, _known_for(3), "The first loan here is under a year old", "Keep a record of one year"),
        Band(0, _always, "There is no record of three months here", "Keep a record of three months"),
    ),
    "recent_inquiries": (
        Band(15, _inquiries_at_most(1), "There were few recent applications"),
        Band(8, _inquiries_at_most(2), "There were two recent applications", "Apply less than twice in six months"),
        Band(-5, _inquiries_at_most(4), "There were several recent applications", "Apply at most twice in six months"),
        Band(-20, _always, "There were many recent applications", "Apply at most four times in six months"),
    ),
    "utilisation": (
        Band(10, _used_at_most("0.10"), "Little is borrowed here already"),
        Band(5, _used_at_most("0.30"), "Over 10 % of a year's income is borrowed here", "Repay to 10 % of a year's income"),
        Band(-5, _used_at_most("0.60"), "Over 30 % of a year's income is borrowed here", "Repay to 30 % of a year's income"),
        Band(-20, _always, "Over 60 % of a year's income is borrowed here", "Repay to 60 % of a year's income"),
    ),
    "verification": (
        Band(25, _verified(Verification.BANK_DATA), "Identity and bank transactions are verified"),
        Band(15, _verified(Verification.IDENTITY), "Bank transactions are not verified", "Upload bank transactions"),
        Band(0, _verified(Verification.EMAIL), "The identity is not verified", "Verify your identity"),
        Band(-20, _always, "Nothing is verified", "Confirm your e-mail address"),
    ),
}
"""The bands of each factor, best first: the first one that holds gives the points."""
