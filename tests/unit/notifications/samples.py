"""One realistic example of every event that people are told about."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from shared.contracts.auth.kyc_events import KycApproved, KycExpired, KycExpiring, KycRejected, KycSubmitted
from shared.contracts.auth.user_events import EmailVerified, PasswordChanged, SessionReuseDetected, UserRegistered
from shared.contracts.lending.investment_events import (
    InvestmentActivated,
    InvestmentHeld,
    InvestmentPaid,
    InvestmentRejected,
    InvestmentReleased,
)
from shared.contracts.lending.loan_events import (
    LoanApproved,
    LoanCancelled,
    LoanDeclined,
    LoanDisbursed,
    LoanExpired,
    LoanFunded,
    LoanRepaid,
    LoanSubmitted,
)
from shared.contracts.lending.repayment_events import (
    InstallmentDue,
    InstallmentOverdue,
    LateFeeCharged,
    RepaymentCompleted,
    RepaymentRejected,
)
from shared.contracts.payments.deposit_events import DepositExpired, DepositFailed, DepositSucceeded
from shared.contracts.payments.destination_events import PayoutDestinationAdded, PayoutDestinationRemoved
from shared.contracts.payments.withdrawal_events import (
    WithdrawalCancelled,
    WithdrawalCompleted,
    WithdrawalFailed,
    WithdrawalRequested,
)
from shared.contracts.wallet_ledger.account_events import WalletCorrected, WalletStatusChanged
from shared.contracts.wallet_ledger.wallet_events import TransferCompleted
from shared.messaging.envelope import Event

AT = datetime(2026, 1, 31, 14, 5, tzinfo=UTC)


def uuid(number: int) -> UUID:
    """A readable id."""
    return UUID(int=number)


BORROWER, LENDER = uuid(1), uuid(2)
_LOAN: dict[str, Any] = {"loan_id": uuid(10), "borrower_id": BORROWER, "amount_minor": 5_000_000, "currency": "KES"}
_TERMS: dict[str, Any] = {"term_months": 12, "annual_rate": "0.1850", "risk_grade": "B", "purpose": "Stock for the shop"}
_INVESTMENT: dict[str, Any] = {
    "investment_id": uuid(20),
    "loan_id": uuid(10),
    "lender_id": LENDER,
    "amount_minor": 1_234_567,
    "currency": "KES",
}
_REPAYMENT: dict[str, Any] = {
    "repayment_id": uuid(30),
    "loan_id": uuid(10),
    "borrower_id": BORROWER,
    "amount_minor": 459_123,
    "currency": "KES",
}
_INSTALLMENT: dict[str, Any] = {"loan_id": uuid(10), "borrower_id": BORROWER, "number": 3, "currency": "KES"}
_WALLET: dict[str, Any] = {"wallet_id": uuid(40), "user_id": LENDER, "currency": "KES"}
_STATUSES: tuple[tuple[Any, Any], ...] = (
    ("frozen", "operator"), ("frozen", "owner_suspended"), ("open", "operator"),
    ("closed", "owner_asked"), ("closed", "operator"),
)  # fmt: skip
_CORRECTED: dict[str, Any] = {**_WALLET, "transaction_id": uuid(41), "amount_minor": 5_000, "booked_at": AT}
_MONEY: dict[str, Any] = {
    "user_id": LENDER,
    "wallet_id": uuid(40),
    "amount_minor": 250_000,
    "currency": "KES",
    "provider": "sandbox",
}
_DESTINATION: dict[str, Any] = {
    "destination_id": uuid(44),
    "user_id": LENDER,
    "provider": "sandbox",
    "shown": "account ••••0001",
}
_TRANSFER: dict[str, Any] = {
    "transfer_id": uuid(50),
    "from_user_id": LENDER,
    "from_wallet_id": uuid(40),
    "to_user_id": BORROWER,
    "to_wallet_id": uuid(41),
    "amount_minor": 12_500,
    "currency": "KES",
    "description": "Lunch",
    "completed_at": AT,
}


def registered(user_id: UUID = BORROWER, full_name: str = "Amina Wanjiru", **changes: Any) -> UserRegistered:
    """Somebody's first event."""
    values: dict[str, Any] = {
        "user_id": user_id,
        "email": f"user{user_id.int % 10**6}@example.org",
        "full_name": full_name,
        "home_currency": "KES",
        "email_verified": False,
        "roles": ["user"],
        "registered_at": AT,
    }
    return UserRegistered(**(values | changes))


def transfer(**changes: Any) -> TransferCompleted:
    """A transfer from the lender to the borrower."""
    return TransferCompleted(**(_TRANSFER | changes))


EVENTS: tuple[Event, ...] = (
    registered(),
    EmailVerified(user_id=BORROWER, email="amina@example.org"),
    PasswordChanged(user_id=BORROWER, email="amina@example.org"),
    SessionReuseDetected(user_id=BORROWER, session_id=uuid(60)),
    KycSubmitted(user_id=BORROWER, kyc_id=uuid(61), submitted_at=AT),
    KycApproved(user_id=BORROWER, kyc_id=uuid(61), country="KE", approved_at=AT),
    KycRejected(user_id=BORROWER, kyc_id=uuid(61), reason="The photograph is not readable.", rejected_at=AT),
    KycExpiring(user_id=BORROWER, kyc_id=uuid(61), expires_on=AT.date()),
    KycExpired(user_id=BORROWER, kyc_id=uuid(61), expired_at=AT),
    transfer(),
    transfer(to_user_id=LENDER),
    DepositSucceeded(**_MONEY, deposit_id=uuid(42), succeeded_at=AT),
    DepositFailed(**_MONEY, deposit_id=uuid(42), reason="The payment was declined."),
    DepositExpired(**_MONEY, deposit_id=uuid(42)),
    WithdrawalRequested(**_MONEY, withdrawal_id=uuid(43)),
    WithdrawalCompleted(**_MONEY, withdrawal_id=uuid(43), completed_at=AT),
    WithdrawalFailed(**_MONEY, withdrawal_id=uuid(43), code="payout_failed", reason="The account does not exist."),
    WithdrawalCancelled(**_MONEY, withdrawal_id=uuid(43)),
    PayoutDestinationAdded(**_DESTINATION, added_at=AT, usable_from=AT),
    PayoutDestinationAdded(**_DESTINATION, added_at=AT, usable_from=AT + timedelta(days=1)),
    PayoutDestinationRemoved(**_DESTINATION, removed_at=AT),
    *(WalletStatusChanged(**_WALLET, status=to, changed_at=AT, because=why) for to, why in _STATUSES),
    WalletCorrected(**_CORRECTED, kind="adjustment", direction="credit", reason="A fee was charged twice"),
    WalletCorrected(**_CORRECTED, kind="reversal", direction="debit", reason="The deposit came twice."),
    LoanSubmitted(**_LOAN, **_TERMS),
    LoanApproved(**_LOAN, **_TERMS, funding_ends_at=AT),
    LoanDeclined(**_LOAN, reason="The monthly obligations are too high."),
    LoanCancelled(**_LOAN, reason="You took it back."),
    LoanExpired(**_LOAN),
    LoanFunded(**_LOAN),
    LoanDisbursed(
        **_LOAN,
        net_amount_minor=4_900_000,
        origination_fee_minor=75_000,
        reserve_contribution_minor=25_000,
        disbursed_on=date(2026, 1, 31),
        first_due_on=date(2026, 2, 28),
        first_due_minor=459_123,
    ),
    LoanRepaid(**_LOAN, repaid_on=date(2027, 1, 31)),
    RepaymentCompleted(
        **_REPAYMENT,
        principal_minor=382_046,
        interest_minor=77_077,
        fees_minor=0,
        outstanding_principal_minor=4_617_954,
        paid_on=date(2026, 2, 28),
    ),
    RepaymentRejected(**_REPAYMENT, code="insufficient_funds", reason="The wallet has too little money."),
    InstallmentDue(**_INSTALLMENT, due_on=date(2026, 4, 30), outstanding_minor=459_123),
    InstallmentOverdue(**_INSTALLMENT, due_on=date(2026, 4, 30), days_past_due=1, bucket=1, overdue_minor=459_123),
    LateFeeCharged(**_INSTALLMENT, fee_minor=22_956, charged_on=date(2026, 5, 8)),
    InvestmentHeld(**_INVESTMENT),
    InvestmentRejected(**_INVESTMENT, code="insufficient_funds", reason="The wallet has too little money."),
    InvestmentReleased(**_INVESTMENT),
    InvestmentActivated(**_INVESTMENT),
    InvestmentPaid(
        **_INVESTMENT | {"amount_minor": 100_000_000},
        repayment_id=uuid(30),
        principal_minor=1_200_000,
        interest_minor=38_413,
        service_fee_minor=3_846,
    ),
)
