"""What an installment is meant to be: a fixed total, or a fixed part of the principal plus whatever interest there is."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from shared.money import exact, round_to_minor, round_to_multiple


@dataclass(frozen=True, slots=True)
class EqualTotal:
    """Principal and interest together are `total_minor`; interest that does not fit waits for the next installment."""

    total_minor: int

    def split(self, accrued_minor: int, prepaid_minor: int = 0) -> tuple[int, int]:
        """(interest, principal) given the interest that accrued and the principal that is paid already."""
        interest = min(accrued_minor, max(0, self.total_minor - prepaid_minor))
        return interest, max(prepaid_minor, self.total_minor - interest)


@dataclass(frozen=True, slots=True)
class EqualShare:
    """The principal is `share` (in minor units, exact); principal and interest together are rounded to the multiple."""

    share: Decimal
    multiple_minor: int = 1
    rounding: str = ROUND_HALF_EVEN

    def split(self, accrued_minor: int, prepaid_minor: int = 0) -> tuple[int, int]:
        """(interest, principal) given the interest that accrued and the principal that is paid already."""
        if self.multiple_minor == 1:
            principal = round_to_minor(self.share, self.rounding)
        else:
            with exact():
                total = self.share + accrued_minor
            principal = round_to_multiple(total, self.multiple_minor, self.rounding) - accrued_minor
        return accrued_minor, max(prepaid_minor, principal)


Target = EqualTotal | EqualShare

INTEREST_ONLY = EqualShare(Decimal(0))


def equal_total(exact_minor: Decimal, multiple_minor: int, rounding: str = ROUND_HALF_EVEN) -> EqualTotal:
    """The installment of an annuity, rounded once, to the multiple where that is not more than the installment itself.

    An installment is never rounded to nothing: a loan of few minor units is then paid back before its term ends.
    """
    multiple = multiple_minor if multiple_minor <= exact_minor else 1
    return EqualTotal(max(multiple, round_to_multiple(exact_minor, multiple, rounding)))


def equal_share(share: Decimal, multiple_minor: int, rounding: str = ROUND_HALF_EVEN) -> EqualShare:
    """One of several equal parts of a principal; a multiple larger than the part is left out of account."""
    if multiple_minor > share:
        multiple_minor = 1
    if multiple_minor == 1 and round_to_minor(share, rounding) == 0:
        share = Decimal(1)
    return EqualShare(share, multiple_minor, rounding)
