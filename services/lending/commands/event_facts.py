"""The fields that all events about one thing share."""

from typing import Any

from services.lending.domain.investment import Investment
from services.lending.domain.loan import Loan
from services.lending.domain.repayment import Repayment


def loan_facts(loan: Loan) -> dict[str, Any]:
    """Which loan, whose, how much."""
    return {
        "loan_id": loan.id,
        "borrower_id": loan.borrower_id,
        "amount_minor": loan.amount_minor,
        "currency": loan.currency,
        "wallet_id": loan.wallet_id,
    }


def investment_facts(investment: Investment) -> dict[str, Any]:
    """Which investment in which loan, whose, how much."""
    return {
        "investment_id": investment.id,
        "loan_id": investment.loan_id,
        "lender_id": investment.lender_id,
        "amount_minor": investment.amount_minor,
        "currency": investment.currency,
        "wallet_id": investment.wallet_id,
    }


def repayment_facts(repayment: Repayment) -> dict[str, Any]:
    """Which repayment of which loan, whose, how much."""
    return {
        "repayment_id": repayment.id,
        "loan_id": repayment.loan_id,
        "borrower_id": repayment.payer_id,
        "amount_minor": repayment.amount_minor,
        "currency": repayment.currency,
    }
