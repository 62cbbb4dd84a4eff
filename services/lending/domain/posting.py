"""A repayment as movements of money between ledger accounts: from the borrower to the loan's collections account, and from
there to the lenders and to the fees. Collections are empty again at the end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from services.lending.domain.allocation import Parts
from services.lending.domain.distribution import LenderShare


@dataclass(frozen=True, slots=True)
class Movement:
    """Move `amount_minor` from one account to another. `kind` says what for, as statements show it."""

    debit_account: str
    credit_account: str
    amount_minor: int
    kind: str


def repayment_movements(
    loan_id: UUID,
    currency: str,
    payer_wallet_id: UUID,
    parts: Parts,
    shares: tuple[LenderShare, ...],
    lender_wallets: Mapping[UUID, UUID],
) -> list[Movement]:
    """The movements of one repayment; `lender_wallets` has the wallet of each funding id. None is of zero."""
    collections, fees = f"loan:{loan_id}:collections", f"fees:{currency}"
    movements = [Movement(f"wallet:{payer_wallet_id}", collections, parts.total_minor, "loan.repayment")]
    movements += [
        Movement(collections, fees, parts.penalty_minor, "loan.late_fee"),
        Movement(collections, fees, parts.fee_minor, "loan.fee"),
    ]
    for share in shares:
        movements += _to_lender(share, collections, f"wallet:{lender_wallets[share.funding_id]}", fees)
    return [movement for movement in movements if movement.amount_minor]


def _to_lender(share: LenderShare, collections: str, wallet: str, fees: str) -> Iterator[Movement]:
    yield Movement(collections, wallet, share.principal_minor, "investment.principal")
    yield Movement(collections, wallet, share.interest_minor - share.service_fee_minor, "investment.interest")
    yield Movement(collections, fees, share.service_fee_minor, "investment.service_fee")
