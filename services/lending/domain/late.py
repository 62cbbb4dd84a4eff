"""Lateness: grace, one late fee per installment, and the buckets in which arrears are reported."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from services.lending.domain.loan_state import Charge, InstallmentState, LoanState
from shared.money import exact, round_to_minor

BUCKETS: Final = (1, 31, 61)
"""Days past due at which a loan moves into a bucket; a bucket is named by the number of days that open it."""


@dataclass(frozen=True, slots=True)
class LateRules:
    """The fee is the greater of a minimum and a share of the overdue amount, but at most the cap."""

    grace_days: int
    minimum_fee_minor: int
    overdue_share: Decimal
    maximum_fee_minor: int


def late_fees(state: LoanState, charged: Iterable[int], rules: LateRules) -> list[Charge]:
    """The late fees to charge on `state.as_of`: for each installment past its days of grace that never had one.

    `charged` has the numbers of the installments that were charged before.
    """
    already = set(charged)
    return [
        Charge(installment.number, state.as_of, fee)
        for installment in state.installments
        if installment.number not in already and (fee := late_fee(installment, state.as_of, rules)) > 0
    ]


def late_fee(installment: InstallmentState, on: date, rules: LateRules) -> int:
    """The fee for an installment on a day; 0 within the grace and when principal and interest are paid.

    Fees and penalties are no part of the overdue amount: there is no fee on fees.
    """
    overdue = installment.unpaid.interest_minor + installment.unpaid.principal_minor
    if overdue == 0 or (on - installment.due_on).days <= rules.grace_days:
        return 0
    with exact():
        share = round_to_minor(overdue * rules.overdue_share)
    return min(max(rules.minimum_fee_minor, share), rules.maximum_fee_minor)


def bucket(days_past_due: int) -> int:
    """The bucket that a loan is in: 0 (current), 1, 31 or 61."""
    return max((opens for opens in BUCKETS if days_past_due >= opens), default=0)
