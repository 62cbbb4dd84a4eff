"""Loan products as data: what is offered in each currency, within which limits, at what price."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from services.lending.domain.day_count import DayCount
from services.lending.domain.late import LateRules
from services.lending.domain.pricing import Pricing
from services.lending.domain.problems import AmountOutsideLimits, MethodNotOffered, NoProduct, TermOutsideLimits
from services.lending.domain.terms import Method
from shared.money import currency, format_minor, minor_from_major

MAX_LENDERS: Final = 5_000
"""As many investments a loan has at most: every repayment pays all of them in one ledger transaction."""


@dataclass(frozen=True, slots=True)
class LoanProduct:
    """Everything that loans of one kind have in common. Rates are fractions: of the amount lent for `origination_fee_rate`
    and `reserve_rate`, of each lender's interest for `service_fee_rate`. The first method and day count are the defaults.
    """

    code: str
    currency: str
    minimum_minor: int
    maximum_minor: int
    minimum_months: int
    maximum_months: int
    minimum_investment_minor: int
    methods: tuple[Method, ...]
    day_counts: tuple[DayCount, ...]
    funding_days: int
    origination_fee_rate: Decimal
    reserve_rate: Decimal
    service_fee_rate: Decimal
    late: LateRules
    pricing: Pricing

    def minimum_investment_in(self, amount_minor: int) -> int:
        """The least that a loan of this amount takes from a lender; more than the product's own minimum in a large one."""
        return max(self.minimum_investment_minor, -(-amount_minor // MAX_LENDERS))

    def check(self, amount_minor: int, term_months: int, method: Method, day_count: DayCount) -> None:
        """Raises `AmountOutsideLimits`, `TermOutsideLimits` or `MethodNotOffered`."""
        if not self.minimum_minor <= amount_minor <= self.maximum_minor:
            low, high = (format_minor(limit, self.currency) for limit in (self.minimum_minor, self.maximum_minor))
            raise AmountOutsideLimits(f"Loans are {self.currency} {low} to {high}.")
        if not self.minimum_months <= term_months <= self.maximum_months:
            raise TermOutsideLimits(f"The term is {self.minimum_months} to {self.maximum_months} months.")
        if method not in self.methods or day_count not in self.day_counts:
            raise MethodNotOffered(f"{method} with {day_count} is not offered.")


def _product(code: str, unit: str) -> LoanProduct:
    """A product scaled by `unit`, a round sum in the currency that is worth about a dollar."""
    currency(code)

    def units(count: str) -> int:
        return max(1, minor_from_major(Decimal(unit) * Decimal(count), code))

    return LoanProduct(
        code=f"personal-{code.lower()}",
        currency=code,
        minimum_minor=units("5"),
        maximum_minor=units("50000"),
        minimum_months=1,
        maximum_months=60,
        minimum_investment_minor=units("0.1"),
        methods=(Method.ANNUITY, Method.EQUAL_PRINCIPAL, Method.FLAT),
        day_counts=(DayCount.THIRTY_360, DayCount.ACT_365, DayCount.ACT_360, DayCount.ACT_364, DayCount.ACT_ACT),
        funding_days=14,
        origination_fee_rate=Decimal("0.02"),
        reserve_rate=Decimal("0.01"),
        service_fee_rate=Decimal("0.10"),
        late=LateRules(
            grace_days=5,
            minimum_fee_minor=units("1"),
            overdue_share=Decimal("0.05"),
            maximum_fee_minor=units("25"),
        ),
        pricing=Pricing(
            base_rate=Decimal("0.08"),
            service_cost=Decimal("0.01"),
            loss_given_default=Decimal("0.60"),
            margin=Decimal("0.02"),
        ),
    )


_UNITS: Final = {
    "KES": "100",
    "NGN": "1000",
    "USD": "1",
    "EUR": "1",
    "GBP": "1",
    "IRR": "500000",
    "GHS": "10",
    "ZAR": "20",
    "TZS": "2500",
    "UGX": "4000",
    "RWF": "1000",
    "JPY": "100",
    "KWD": "0.25",
}

SEED_PRODUCTS: Final = tuple(_product(code, unit) for code, unit in _UNITS.items())
"""The products that a new installation starts with: one for each of the seeded currencies."""


def seed_product(currency_code: str) -> LoanProduct:
    """The seeded product of a currency; raises `NoProduct`."""
    for product in SEED_PRODUCTS:
        if product.currency == currency_code:
            return product
    raise NoProduct(f"No loans are made in {currency_code}.")
