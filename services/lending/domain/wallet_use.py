"""Who counts on which wallet: a loan pays its borrower's, an investment its lender's, until there is nothing more to come."""

from dataclasses import dataclass
from uuid import UUID

from services.lending.domain.investment import Investment, InvestmentStatus
from services.lending.domain.loan import Loan, LoanStatus

ENDED_LOANS = frozenset(
    {LoanStatus.REPAID, LoanStatus.DECLINED, LoanStatus.CANCELLED, LoanStatus.EXPIRED, LoanStatus.FAILED},
)
ENDED_INVESTMENTS = frozenset(
    {InvestmentStatus.REJECTED, InvestmentStatus.COMPLETED, InvestmentStatus.RELEASED, InvestmentStatus.WRITTEN_OFF},
)


@dataclass(frozen=True, slots=True)
class WalletUse:
    """`reference` names what uses the wallet, such as `loan:{id}`; `loan_id` is the loan that it is, or is a part of."""

    reference: str
    loan_id: UUID
    user_id: UUID
    wallet_id: UUID
    currency: str
    in_use: bool


def use_by(what: Loan | Investment) -> WalletUse:
    """How a loan or an investment uses its wallet as it stands."""
    if isinstance(what, Loan):
        in_use = what.status not in ENDED_LOANS
        return WalletUse(f"loan:{what.id}", what.id, what.borrower_id, what.wallet_id, what.currency, in_use)
    in_use = what.status not in ENDED_INVESTMENTS
    return WalletUse(f"investment:{what.id}", what.loan_id, what.lender_id, what.wallet_id, what.currency, in_use)
