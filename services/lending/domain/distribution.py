"""Sharing a repayment out among the lenders of a loan."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from uuid import UUID

from shared.money import exact, round_to_minor, split_by_largest_remainder


@dataclass(frozen=True, slots=True)
class Holding:
    """A lender's part of a loan: `amount_minor` was lent, `outstanding_minor` of it is not paid back yet."""

    funding_id: UUID
    amount_minor: int
    outstanding_minor: int


@dataclass(frozen=True, slots=True)
class LenderShare:
    """What a lender gets of a repayment. `interest_minor` is before the service fee."""

    funding_id: UUID
    principal_minor: int
    interest_minor: int
    service_fee_minor: int

    @property
    def net_minor(self) -> int:
        return self.principal_minor + self.interest_minor - self.service_fee_minor


def distribute(
    principal_minor: int, interest_minor: int, holdings: Sequence[Holding], service_fee_rate: Decimal
) -> list[LenderShare]:
    """Split principal and interest, each by the principal owned that day, in the order of the funding ids.

    The parts sum exactly to the whole: leftover units go to the largest remainders, ties to the lowest funding id. The
    service fee is a share of each lender's interest, rounded down. Interest that comes when no principal is left is
    split by what was lent.

    Raises `ValueError` when more principal comes than the lenders own.
    """
    ordered = sorted(holdings, key=lambda holding: holding.funding_id)
    owned = [holding.outstanding_minor for holding in ordered]
    if principal_minor > sum(owned):
        raise ValueError("a repayment cannot return more principal than the lenders own")
    principals = split_by_largest_remainder(principal_minor, owned)
    weights = owned if any(owned) else [holding.amount_minor for holding in ordered]
    interests = split_by_largest_remainder(interest_minor, weights)
    return [
        LenderShare(holding.funding_id, principal, interest, _service_fee(interest, service_fee_rate))
        for holding, principal, interest in zip(ordered, principals, interests, strict=True)
    ]


def _service_fee(interest_minor: int, rate: Decimal) -> int:
    with exact():
        return round_to_minor(interest_minor * rate, ROUND_FLOOR)
