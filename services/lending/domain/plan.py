"""The plan of a loan: its periods, the target of each installment, and the one way in which interest is computed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from services.lending.domain.periods import Period, fraction_between, periods_of
from services.lending.domain.targets import INTEREST_ONLY, Target, equal_share, equal_total
from services.lending.domain.terms import LoanTerms, Method
from shared.money import exact, round_to_minor


@dataclass(frozen=True, slots=True)
class Plan:
    """`flat_interest_minor` has the interest of each period of a flat loan, and is None for the other methods."""

    terms: LoanTerms
    periods: tuple[Period, ...]
    targets: tuple[Target, ...]
    flat_interest_minor: tuple[int, ...] | None

    @property
    def last(self) -> int:
        """The index of the last installment, which takes whatever is left."""
        return len(self.periods) - 1

    def interest_minor(self, index: int, balance_minor: int, starts_on: date | None = None, ends_on: date | None = None) -> int:
        """Interest on `balance_minor` for a period, or for the part of it between two days; rounded once.

        A flat loan's interest does not depend on the balance as long as there is one.
        """
        if balance_minor == 0:
            return 0
        period = self.periods[index]
        starts_on, ends_on = starts_on or period.starts_on, ends_on or period.ends_on
        if self.flat_interest_minor is not None:
            days = Fraction((ends_on - starts_on).days, (period.ends_on - period.starts_on).days)
            return self._round(self.flat_interest_minor[index], Decimal(1), days)
        return self._round(balance_minor, self.terms.annual_rate, period.part(starts_on, ends_on))

    def interest_after_maturity_minor(self, balance_minor: int, starts_on: date, ends_on: date) -> int:
        """Interest between two days after the last due date, on what is still outstanding; rounded once."""
        fraction = fraction_between(self.terms, starts_on, ends_on)
        return self._round(balance_minor, self.terms.annual_rate, fraction)

    def _round(self, base_minor: int, rate: Decimal, fraction: Fraction) -> int:
        return round_to_minor(interest_on(base_minor, rate, fraction), self.terms.interest_rounding)


def make_plan(terms: LoanTerms, disbursed_on: date, rounding: str = ROUND_HALF_EVEN) -> Plan:
    """The plan of a loan paid out on `disbursed_on`; installments are rounded as `rounding` says."""
    periods = periods_of(terms, disbursed_on)
    fractions = [period.year_fraction for period in periods]
    flat_interest = _flat_interest(terms, fractions) if terms.method is Method.FLAT else None
    targets = make_targets(terms, terms.principal_minor, fractions[terms.principal_grace :], rounding)
    return Plan(terms, periods, (INTEREST_ONLY,) * terms.principal_grace + targets, flat_interest)


def make_targets(
    terms: LoanTerms, balance_minor: int, fractions: Sequence[Fraction], rounding: str = ROUND_HALF_EVEN
) -> tuple[Target, ...]:
    """Targets that pay `balance_minor` back over the coming periods, whose fractions of a year are given."""
    with exact():
        if terms.method is Method.ANNUITY:
            rates = [period_rate(terms.annual_rate, fraction) for fraction in fractions]
            target: Target = equal_total(annuity(balance_minor, rates), terms.installment_multiple, rounding)
        else:
            target = equal_share(Decimal(balance_minor) / len(fractions), terms.installment_multiple, rounding)
    return (target,) * len(fractions)


def interest_on(balance_minor: int, annual_rate: Decimal, fraction: Fraction) -> Decimal:
    """Simple interest, not yet rounded. One division, at the end, so that a half minor unit stays exactly a half."""
    with exact():
        return balance_minor * annual_rate * fraction.numerator / fraction.denominator


def period_rate(annual_rate: Decimal, fraction: Fraction) -> Decimal:
    """The rate of one period, to 50 digits."""
    with exact():
        return annual_rate * fraction.numerator / fraction.denominator


def annuity(principal_minor: int, rates: Sequence[Decimal]) -> Decimal:
    """The equal installment that pays a principal back, not rounded: P · Π(1+r_k) / Σ_j Π_{k>j}(1+r_k)."""
    with exact():
        growth, later_growth = Decimal(1), Decimal(0)
        for rate in reversed(rates):
            later_growth += growth
            growth *= 1 + rate
        return principal_minor * growth / later_growth


def _flat_interest(terms: LoanTerms, fractions: Sequence[Fraction]) -> tuple[int, ...]:
    """The interest of the whole term is rounded once, then each period's; the last period takes what is left."""
    left = round_to_minor(
        interest_on(terms.principal_minor, terms.annual_rate, sum(fractions, Fraction(0))), terms.interest_rounding
    )
    parts = []
    for fraction in fractions[:-1]:
        interest = interest_on(terms.principal_minor, terms.annual_rate, fraction)
        parts.append(min(left, round_to_minor(interest, terms.interest_rounding)))
        left -= parts[-1]
    return (*parts, left)
