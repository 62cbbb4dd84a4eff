"""The quote of a loan: its schedule, what it costs in all, and its annual percentage rate."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from services.lending.domain.apr import eu_apr, eu_years
from services.lending.domain.due_dates import FrequencyUnit
from services.lending.domain.problems import InvalidTerms
from services.lending.domain.schedule import ScheduledInstallment, build_schedule
from services.lending.domain.terms import LoanTerms
from shared.problems import FieldError

SHOWN_APR: Final = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Quote:
    """`apr` is the effective annual rate, fees included, as a fraction to six decimals; None where no rate describes the loan.

    `upfront_fee_minor` is kept back from what the borrower receives. `total_cost_minor` is interest and fee.
    """

    installments: tuple[ScheduledInstallment, ...]
    principal_minor: int
    interest_minor: int
    upfront_fee_minor: int
    apr: Decimal | None

    @property
    def received_minor(self) -> int:
        return self.principal_minor - self.upfront_fee_minor

    @property
    def repaid_minor(self) -> int:
        return self.principal_minor + self.interest_minor

    @property
    def total_cost_minor(self) -> int:
        return self.interest_minor + self.upfront_fee_minor


def quote(terms: LoanTerms, disbursed_on: date, upfront_fee_minor: int = 0) -> Quote:
    """What a loan on these terms costs; raises `InvalidTerms`, also for a fee that leaves the borrower nothing."""
    if not 0 <= upfront_fee_minor < terms.principal_minor:
        message = "must be 0 or more, and less than the amount"
        raise InvalidTerms(f"upfront_fee {message}", errors=[FieldError("upfront_fee", message)])
    installments = build_schedule(terms, disbursed_on)
    interest = sum(installment.interest_minor for installment in installments)
    times = payment_times(terms, disbursed_on, installments)
    apr = eu_apr(
        [(Fraction(0), terms.principal_minor - upfront_fee_minor)],
        [(time, installment.total_minor) for time, installment in zip(times, installments, strict=True)],
    )
    shown_apr = None if apr is None else apr.quantize(SHOWN_APR)
    return Quote(installments, terms.principal_minor, interest, upfront_fee_minor, shown_apr)


def payment_times(terms: LoanTerms, disbursed_on: date, installments: tuple[ScheduledInstallment, ...]) -> list[Fraction]:
    """Years from disbursal to each due date: months are twelfths, whatever their length, other days 1/365 each."""
    if terms.frequency.unit is not FrequencyUnit.MONTHS:
        return [eu_years(disbursed_on, installment.due_on, terms.frequency) for installment in installments]
    first = eu_years(disbursed_on, installments[0].due_on, terms.frequency)
    return [first + Fraction(index * terms.frequency.every, 12) for index in range(len(installments))]
