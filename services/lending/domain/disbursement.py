"""What the borrower receives of a loan, and what goes to the platform and to the reserve fund."""

from dataclasses import dataclass
from decimal import Decimal

from shared.money import exact, round_to_minor


@dataclass(frozen=True, slots=True)
class Disbursement:
    """The parts into which the amount of a loan is paid out."""

    amount_minor: int
    origination_fee_minor: int
    reserve_contribution_minor: int

    @property
    def net_minor(self) -> int:
        return self.amount_minor - self.deducted_minor

    @property
    def deducted_minor(self) -> int:
        """What the borrower pays up front: it counts into the annual percentage rate."""
        return self.origination_fee_minor + self.reserve_contribution_minor


def break_down(amount_minor: int, origination_fee_rate: Decimal, reserve_rate: Decimal) -> Disbursement:
    """Both deductions are shares of the amount, each rounded once; the borrower gets the rest.

    Raises `ValueError` when nothing would be left.
    """
    with exact():
        fee = round_to_minor(amount_minor * origination_fee_rate)
        reserve = round_to_minor(amount_minor * reserve_rate)
    disbursement = Disbursement(amount_minor, fee, reserve)
    if disbursement.net_minor <= 0:
        raise ValueError("the fees would take the whole loan")
    return disbursement
