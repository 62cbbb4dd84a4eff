"""The terms of a loan: everything that fixes its schedule, except the day on which it is paid out."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from typing import Final

from services.lending.domain.day_count import DayCount
from services.lending.domain.due_dates import MONTHLY, Frequency, FrequencyUnit
from services.lending.domain.problems import InvalidTerms
from shared.money import MAX_AMOUNT_MINOR, MIN_AMOUNT_MINOR
from shared.problems import FieldError

MAX_TERM: Final = 1_200
MAX_YEARS: Final = 100
MAX_ANNUAL_RATE: Final = Decimal(100)
_MAX_RATE_DIGITS: Final = 12
_UNITS_A_YEAR: Final = {FrequencyUnit.MONTHS: 12, FrequencyUnit.WEEKS: 52, FrequencyUnit.DAYS: 365}


class Method(StrEnum):
    """How the principal is paid back.

    `annuity`: equal installments. `equal_principal`: equal parts of principal, interest on what is left. `flat`: equal
    parts of principal, interest on the original principal throughout.
    """

    ANNUITY = "annuity"
    EQUAL_PRINCIPAL = "equal_principal"
    FLAT = "flat"


@dataclass(frozen=True, slots=True)
class LoanTerms:
    """`annual_rate` is a nominal fraction (0.1850 is 18.5 % a year); `term` and the graces count installments.

    During `principal_grace` installments carry no principal. During `interest_grace` interest runs but is not due: it
    falls due with the first installment afterwards. Installments are multiples of `installment_multiple` minor units,
    the last one excepted. `interest_rounding` is a rounding mode of `decimal`.

    Raises `InvalidTerms`.
    """

    principal_minor: int
    annual_rate: Decimal
    term: int
    frequency: Frequency = MONTHLY
    method: Method = Method.ANNUITY
    day_count: DayCount = DayCount.THIRTY_360
    first_due_on: date | None = None
    principal_grace: int = 0
    interest_grace: int = 0
    installment_multiple: int = 1
    interest_rounding: str = ROUND_HALF_EVEN

    def __post_init__(self) -> None:
        errors = [FieldError(field, message) for field, message, acceptable in self._checks() if not acceptable]
        if errors:
            raise InvalidTerms("; ".join(f"{error.field} {error.message}" for error in errors), errors=errors)

    def _checks(self) -> list[tuple[str, str, bool]]:
        every = self.frequency.every
        years = self.term * every / _UNITS_A_YEAR[self.frequency.unit]
        return [
            ("amount", f"must be 1 to {MAX_AMOUNT_MINOR}", MIN_AMOUNT_MINOR <= self.principal_minor <= MAX_AMOUNT_MINOR),
            ("annual_rate", f"must be 0 to {MAX_ANNUAL_RATE}, with at most 12 decimals", _is_rate(self.annual_rate)),
            ("term", f"must be 1 to {MAX_TERM} installments", 1 <= self.term <= MAX_TERM),
            ("frequency", f"must be 1 or more, and the loan end within {MAX_YEARS} years", every >= 1 and years <= MAX_YEARS),
            ("principal_grace", "must leave an installment for the principal", 0 <= self.principal_grace < self.term),
            ("interest_grace", "must leave an installment for the interest", 0 <= self.interest_grace < self.term),
            ("installment_multiple", "must be 1 or more", 1 <= self.installment_multiple <= MAX_AMOUNT_MINOR),
        ]


def _is_rate(rate: Decimal) -> bool:
    if not rate.is_finite() or not 0 <= rate <= MAX_ANNUAL_RATE:
        return False
    exponent = rate.as_tuple().exponent
    return isinstance(exponent, int) and -exponent <= _MAX_RATE_DIGITS
