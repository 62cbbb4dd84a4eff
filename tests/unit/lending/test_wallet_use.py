"""Whatever ends a loan or an investment frees its wallet: asked of every state that there is, by trying every way out of it."""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.lending.domain.distribution import LenderShare
from services.lending.domain.investment import Investment, InvestmentStatus
from services.lending.domain.loan import Loan, LoanStatus
from services.lending.domain.problems import FundingClosed, WrongInvestmentStatus, WrongLoanStatus
from services.lending.domain.servicing import replay
from services.lending.domain.wallet_use import use_by
from tests.unit.lending.test_loan_and_investment import INVESTMENT, LOAN, NOW

DISBURSED = date(2024, 5, 2)
LIVED = replace(LOAN, funding_ends_at=NOW + timedelta(days=1), disbursed_on=DISBURSED, pledged_minor=400)
ARGUMENTS: dict[str, Any] = {
    "at": NOW + timedelta(days=2),
    "reason": "a reason",
    "code": "a_code",
    "funding_days": 14,
    "annual_rate": Decimal("0.1"),
    "amount_minor": 400,
    "disbursed_on": DISBURSED,
    "state": replay(LOAN.terms, DISBURSED, [], DISBURSED),
    "share": LenderShare(INVESTMENT.id, 0, 0, 0),
}


def transitions(kind: type) -> Iterable[tuple[str, Callable[..., Any]]]:
    """The public methods that give the thing in another state."""
    for name, method in inspect.getmembers(kind, inspect.isfunction):
        if not name.startswith("_") and inspect.signature(method).return_annotation in (kind, kind.__name__):
            yield name, method


def ways_on(what: Loan | Investment) -> set[str]:
    """The transitions that the thing's state allows. A pledge is asked for in time, everything else later."""
    found = set()
    for name, method in transitions(type(what)):
        wanted = [parameter for parameter in inspect.signature(method).parameters if parameter != "self"]
        arguments = {each: ARGUMENTS[each] for each in wanted} | ({"at": NOW} if name == "pledge" else {})
        try:
            method(what, **arguments)
        except (WrongLoanStatus, WrongInvestmentStatus, FundingClosed):
            continue
        except ValueError:
            pass  # the state allows it; the amounts of this example do not
        found.add(name)
    return found


@pytest.mark.parametrize("status", list(LoanStatus))
def test_a_loan_uses_its_wallet_until_nothing_can_happen_to_it(status: LoanStatus) -> None:
    loan = replace(LIVED, status=status)
    use = use_by(loan)
    assert use.in_use == bool(ways_on(loan)), ways_on(loan)
    assert (use.reference, use.loan_id, use.user_id, use.wallet_id) == (
        f"loan:{loan.id}",
        loan.id,
        loan.borrower_id,
        loan.wallet_id,
    )


@pytest.mark.parametrize("status", list(InvestmentStatus))
def test_an_investment_uses_its_wallet_until_nothing_can_happen_to_it(status: InvestmentStatus) -> None:
    part = replace(INVESTMENT, status=status)
    use = use_by(part)
    assert use.in_use == bool(ways_on(part)), ways_on(part)
    assert (use.reference, use.loan_id, use.user_id, use.wallet_id) == (
        f"investment:{part.id}", part.loan_id, part.lender_id, part.wallet_id,
    )  # fmt: skip


def test_the_ways_are_really_found() -> None:
    assert len(list(transitions(Loan))) >= 11
    assert len(list(transitions(Investment))) >= 7
    assert ways_on(LOAN) == {"approve", "decline", "cancel"}
    assert ways_on(INVESTMENT) == {"hold", "reject", "release"}
