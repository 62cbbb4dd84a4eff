"""What a credit score is computed from."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from shared.money import exact


class IncomeKind(StrEnum):
    """How steady the applicant's income is."""

    REGULAR = "regular"
    VARIABLE = "variable"
    OCCASIONAL = "occasional"
    NONE = "none"


_INCOME_KINDS: Final = {
    "employed": IncomeKind.REGULAR,
    "full_time": IncomeKind.REGULAR,
    "permanent": IncomeKind.REGULAR,
    "salaried": IncomeKind.REGULAR,
    "pensioner": IncomeKind.REGULAR,
    "retired": IncomeKind.REGULAR,
    "business_owner": IncomeKind.VARIABLE,
    "contract": IncomeKind.VARIABLE,
    "contractor": IncomeKind.VARIABLE,
    "freelance": IncomeKind.VARIABLE,
    "part_time": IncomeKind.VARIABLE,
    "self_employed": IncomeKind.VARIABLE,
    "unemployed": IncomeKind.NONE,
}


def income_kind(employment_status: str) -> IncomeKind:
    """The kind of income behind what an applicant calls their employment; unknown words count as occasional income."""
    word = employment_status.strip().lower().replace("-", "_").replace(" ", "_")
    return _INCOME_KINDS.get(word, IncomeKind.OCCASIONAL)


class Verification(StrEnum):
    """What is known for certain about the applicant."""

    NONE = "none"
    EMAIL = "email"
    IDENTITY = "identity"
    BANK_DATA = "bank_data"


@dataclass(frozen=True, slots=True)
class CreditInputs:
    """What the score is computed from, and stored with it. Amounts are minor units of one currency.

    `installment_minor` is the monthly installment applied for (0 without an application). `worst_days_past_due` is over
    all loans here. `months_since_first_loan` is None before the first one. `recent_inquiries` are applications of the
    last six months before this one.
    """

    employment_status: str
    annual_income_minor: int
    monthly_obligations_minor: int
    installment_minor: int
    loans_repaid: int
    worst_days_past_due: int
    defaults: int
    months_since_first_loan: int | None
    recent_inquiries: int
    outstanding_here_minor: int
    verification: Verification

    @property
    def debt_to_income(self) -> Decimal | None:
        """Obligations and the new installment as a share of the monthly income; None without income."""
        return _ratio(12 * (self.monthly_obligations_minor + self.installment_minor), self.annual_income_minor)

    @property
    def utilisation(self) -> Decimal | None:
        """Debt outstanding here as a share of the annual income; None without income."""
        return _ratio(self.outstanding_here_minor, self.annual_income_minor)


def _ratio(part_minor: int, whole_minor: int) -> Decimal | None:
    if whole_minor <= 0:
        return None
    with exact():
        return (Decimal(part_minor) / whole_minor).quantize(Decimal("0.0001"))
