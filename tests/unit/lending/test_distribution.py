"""Sharing out: repayments among lenders, a loan's amount among borrower, platform and reserve."""

from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lending.domain.disbursement import break_down
from services.lending.domain.distribution import Holding, LenderShare, distribute
from services.lending.domain.funding import accepted_amount
from services.lending.domain.problems import FundingGoalExceeded, InvestmentTooSmall

TENTH = Decimal("0.10")


def _holdings(*outstanding: int) -> list[Holding]:
    return [Holding(UUID(int=index + 1), 10**15, amount) for index, amount in enumerate(outstanding)]


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=40).filter(any), st.integers(0, 10**12), st.data())
def test_money_is_conserved(outstanding: list[int], interest: int, data: st.DataObject) -> None:
    principal = data.draw(st.integers(0, sum(outstanding)))
    rate = data.draw(st.decimals(0, 1, places=4))
    shares = distribute(principal, interest, _holdings(*outstanding), rate)
    assert sum(share.principal_minor for share in shares) == principal
    assert sum(share.interest_minor for share in shares) == interest
    for share, owned in zip(shares, outstanding, strict=True):
        assert share.principal_minor <= owned
        assert 0 <= share.service_fee_minor <= share.interest_minor * rate
        assert share.interest_minor * rate - share.service_fee_minor < 1
        assert share.net_minor >= 0


def test_ties_go_to_the_lowest_funding_id_whatever_the_order() -> None:
    holdings = _holdings(100, 100, 100)
    for order in (holdings, holdings[::-1]):
        assert distribute(100, 2, order, TENTH) == [
            LenderShare(UUID(int=1), 34, 1, 0),
            LenderShare(UUID(int=2), 33, 1, 0),
            LenderShare(UUID(int=3), 33, 0, 0),
        ]


def test_the_last_repayment_returns_every_holding() -> None:
    shares = distribute(6, 7, _holdings(1, 2, 3), TENTH)
    assert [share.principal_minor for share in shares] == [1, 2, 3]


def test_the_service_fee_is_rounded_down_for_each_lender() -> None:
    assert [share.service_fee_minor for share in distribute(0, 38, _holdings(1, 1), TENTH)] == [1, 1]


def test_interest_without_principal_left_goes_by_what_was_lent() -> None:
    holdings = [Holding(UUID(int=1), 300, 0), Holding(UUID(int=2), 100, 0)]
    assert [share.interest_minor for share in distribute(0, 40, holdings, TENTH)] == [30, 10]


def test_more_principal_than_the_lenders_own() -> None:
    with pytest.raises(ValueError, match="more principal"):
        distribute(7, 0, _holdings(1, 2, 3), TENTH)


def test_what_the_borrower_receives() -> None:
    disbursement = break_down(100_050, Decimal("0.02"), Decimal("0.01"))
    assert (disbursement.origination_fee_minor, disbursement.reserve_contribution_minor) == (2_001, 1_000)
    assert disbursement.net_minor == 97_049
    assert disbursement.deducted_minor == 3_001


@given(st.integers(1, 10**15), st.decimals(0, "0.4", places=4), st.decimals(0, "0.4", places=4))
def test_the_parts_of_a_disbursement_are_the_loan(amount: int, fee_rate: Decimal, reserve_rate: Decimal) -> None:
    parts = break_down(amount, fee_rate, reserve_rate)
    assert parts.net_minor + parts.origination_fee_minor + parts.reserve_contribution_minor == amount


def test_fees_that_would_take_everything() -> None:
    with pytest.raises(ValueError, match="whole loan"):
        break_down(100, Decimal("0.9"), Decimal("0.1"))


def test_an_investment_fills_the_goal_at_most() -> None:
    assert accepted_amount(500, 800, 100, may_cut=False) == 500
    assert accepted_amount(900, 800, 100, may_cut=True) == 800
    assert accepted_amount(50, 50, 100, may_cut=False) == 50  # the last part of a loan may be small
    with pytest.raises(FundingGoalExceeded):
        accepted_amount(900, 800, 100, may_cut=False)
    with pytest.raises(FundingGoalExceeded):
        accepted_amount(1, 0, 100, may_cut=True)
    with pytest.raises(InvestmentTooSmall):
        accepted_amount(99, 800, 100, may_cut=True)
