"""The states of a loan and of an investment, and the products that loans are made from."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from services.lending.domain.day_count import DayCount
from services.lending.domain.distribution import LenderShare
from services.lending.domain.investment import Investment, InvestmentStatus
from services.lending.domain.loan import Loan, LoanStatus
from services.lending.domain.pricing import Grade
from services.lending.domain.problems import (
    AmountOutsideLimits,
    FundingClosed,
    FundingGoalExceeded,
    NoProduct,
    TermOutsideLimits,
    WrongInvestmentStatus,
    WrongLoanStatus,
)
from services.lending.domain.product import SEED_PRODUCTS, seed_product
from services.lending.domain.terms import Method
from shared.money import MAX_AMOUNT_MINOR

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
LOAN = Loan(
    id=UUID(int=1),
    borrower_id=UUID(int=2),
    wallet_id=UUID(int=3),
    product_code="personal-kes",
    amount_minor=1_000,
    currency="KES",
    term_months=12,
    purpose="a cow",
    method=Method.ANNUITY,
    day_count=DayCount.THIRTY_360,
    annual_rate=Decimal("0.1235"),
    risk_grade=Grade.B,
    submitted_at=NOW,
)
INVESTMENT = Investment(UUID(int=4), LOAN.id, UUID(int=5), UUID(int=6), 400, "KES")


def test_from_application_to_the_last_repayment() -> None:
    funding = LOAN.approve(NOW, funding_days=14)
    assert funding.funding_ends_at == NOW + timedelta(days=14)
    assert funding.annual_rate == LOAN.annual_rate
    half = funding.pledge(600, NOW).confirm_pledge(600)
    assert (half.status, half.remaining_minor) == (LoanStatus.FUNDING, 400)
    full = half.pledge(400, NOW).confirm_pledge(400)
    assert full.status is LoanStatus.DISBURSING
    active = full.activate(date(2024, 5, 2))
    assert (active.status, active.disbursed_on) == (LoanStatus.ACTIVE, date(2024, 5, 2))
    repaid = active.repay(NOW)
    assert (repaid.status, repaid.closed_at) == (LoanStatus.REPAID, NOW)


def test_approval_can_set_the_rate() -> None:
    assert LOAN.approve(NOW, 14, Decimal("0.2")).terms.annual_rate == Decimal("0.2")


def test_ways_out() -> None:
    assert LOAN.decline(NOW, "no").status is LoanStatus.DECLINED
    assert LOAN.cancel(NOW, "changed my mind").reason == "changed my mind"
    assert LOAN.approve(NOW, 14).cancel(NOW, "found another").status is LoanStatus.CANCELLED
    assert LOAN.approve(NOW, 14).expire(NOW + timedelta(days=14)).status is LoanStatus.EXPIRED
    assert replace(LOAN, status=LoanStatus.DISBURSING).fail(NOW, "wallet closed").status is LoanStatus.FAILED


def test_a_loan_does_not_expire_before_its_deadline() -> None:
    with pytest.raises(WrongLoanStatus):
        LOAN.approve(NOW, 14).expire(NOW + timedelta(days=13))


def test_the_goal_is_never_passed() -> None:
    pledged = LOAN.approve(NOW, 14).pledge(700, NOW)
    with pytest.raises(FundingGoalExceeded):
        pledged.pledge(301, NOW)
    assert pledged.drop_pledge(700).pledge(1_000, NOW).remaining_minor == 0
    with pytest.raises(ValueError, match="pledged"):
        pledged.confirm_pledge(701)


def test_no_pledges_outside_the_funding_time() -> None:
    with pytest.raises(FundingClosed):
        LOAN.pledge(100, NOW)
    with pytest.raises(FundingClosed):
        LOAN.approve(NOW, 14).pledge(100, NOW + timedelta(days=14))


_TRANSITIONS = {
    "approve": ({LoanStatus.SUBMITTED}, lambda loan: loan.approve(NOW, 14)),
    "decline": ({LoanStatus.SUBMITTED}, lambda loan: loan.decline(NOW, "no")),
    "cancel": ({LoanStatus.SUBMITTED, LoanStatus.FUNDING}, lambda loan: loan.cancel(NOW, "no")),
    "expire": ({LoanStatus.FUNDING}, lambda loan: loan.expire(NOW)),
    "confirm_pledge": ({LoanStatus.FUNDING}, lambda loan: loan.confirm_pledge(1)),
    "drop_pledge": ({LoanStatus.FUNDING}, lambda loan: loan.drop_pledge(1)),
    "activate": ({LoanStatus.DISBURSING}, lambda loan: loan.activate(NOW.date())),
    "fail": ({LoanStatus.DISBURSING}, lambda loan: loan.fail(NOW, "no")),
    "repay": ({LoanStatus.ACTIVE}, lambda loan: loan.repay(NOW)),
}


@pytest.mark.parametrize("name", _TRANSITIONS)
@pytest.mark.parametrize("status", LoanStatus)
def test_every_status_and_every_transition(name: str, status: LoanStatus) -> None:
    allowed, move = _TRANSITIONS[name]
    loan = replace(LOAN, status=status, pledged_minor=10)
    if status in allowed:
        assert isinstance(move(loan), Loan)
    else:
        with pytest.raises(WrongLoanStatus):
            move(loan)


def test_an_investment_that_is_paid_back() -> None:
    active = INVESTMENT.hold().activate()
    assert active.holding.outstanding_minor == 400
    paid = active.receive(LenderShare(INVESTMENT.id, 150, 20, 2)).receive(LenderShare(INVESTMENT.id, 250, 10, 1))
    assert (paid.outstanding_minor, paid.principal_minor, paid.interest_minor, paid.service_fees_minor) == (0, 400, 30, 3)
    assert paid.complete().status is InvestmentStatus.COMPLETED


def test_an_investment_cannot_get_back_more_than_was_lent() -> None:
    with pytest.raises(ValueError, match="more than was lent"):
        INVESTMENT.hold().activate().receive(LenderShare(INVESTMENT.id, 401, 0, 0))


def test_an_investment_that_comes_to_nothing() -> None:
    assert INVESTMENT.reject("insufficient_funds").rejection_code == "insufficient_funds"
    assert INVESTMENT.release().status is InvestmentStatus.RELEASED
    assert INVESTMENT.hold().release().status is InvestmentStatus.RELEASED
    assert INVESTMENT.hold().activate().write_off().status is InvestmentStatus.WRITTEN_OFF
    for settled in (INVESTMENT.release(), INVESTMENT.reject("x"), INVESTMENT.hold().activate()):
        with pytest.raises(WrongInvestmentStatus):
            settled.hold()


def test_one_product_for_each_seeded_currency() -> None:
    assert [product.currency for product in SEED_PRODUCTS] == (
        ["KES", "NGN", "USD", "EUR", "GBP", "IRR", "GHS", "ZAR", "TZS", "UGX", "RWF", "JPY", "KWD"]
    )
    assert len({product.code for product in SEED_PRODUCTS}) == len(SEED_PRODUCTS)
    for product in SEED_PRODUCTS:
        assert 0 < product.minimum_investment_minor <= product.minimum_minor < product.maximum_minor <= MAX_AMOUNT_MINOR
        assert 0 < product.late.minimum_fee_minor < product.late.maximum_fee_minor
        product.check(product.minimum_minor, product.maximum_months, product.methods[0], product.day_counts[0])


def test_limits_of_a_product() -> None:
    product = seed_product("KES")
    for amount_minor in (product.minimum_minor - 1, product.maximum_minor + 1):
        with pytest.raises(AmountOutsideLimits, match=r"KES 500\.00 to 5000000\.00"):
            product.check(amount_minor, 12, Method.ANNUITY, DayCount.THIRTY_360)
    for term_months in (0, 61):
        with pytest.raises(TermOutsideLimits):
            product.check(product.minimum_minor, term_months, Method.ANNUITY, DayCount.THIRTY_360)
    with pytest.raises(NoProduct):
        seed_product("CHF")
