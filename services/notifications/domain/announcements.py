"""Who is told about which event, in which words, and how.

Adding an event here is all that it takes to tell people about it: the consumers, the catalogue of event types and the
tests are made from this table. The words are in `templates/<language>/<template>.j2`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from services.notifications.domain.texts import cleaned
from shared.contracts.auth.kyc_events import KycApproved, KycExpired, KycExpiring, KycRejected, KycSubmitted
from shared.contracts.auth.user_events import EmailVerified, PasswordChanged, SessionReuseDetected, UserRegistered
from shared.contracts.lending import investment_events as investments
from shared.contracts.lending import loan_events as loans
from shared.contracts.lending import repayment_events as repayments
from shared.contracts.payments import deposit_events as deposits
from shared.contracts.payments import destination_events as destinations
from shared.contracts.payments import withdrawal_events as withdrawals
from shared.contracts.wallet_ledger.account_events import WalletCorrected, WalletStatusChanged
from shared.contracts.wallet_ledger.wallet_events import TransferCompleted
from shared.messaging.envelope import Event, Message

Channel = Literal["in_app", "email"]

FEED: frozenset[Channel] = frozenset({"in_app"})
FEED_AND_EMAIL: frozenset[Channel] = frozenset({"in_app", "email"})

_DESTINATION = ("destination_id", "provider", "shown")
_ROLES = {
    "user_id": "owner",
    "from_user_id": "sender",
    "to_user_id": "receiver",
    "borrower_id": "borrower",
    "lender_id": "lender",
}


@dataclass(frozen=True)
class Announcement:
    """One event told to one person of it.

    `person` is the event's field with the id of who is told. `path` is the page of the web app that shows more, with
    fields of the event in braces. `shows` are the fields that the feed gives to programs, besides `amount` (the field
    `amount_minor`, or another one) and `currency`. `computed` are amounts that follow from the fields. `names` are
    other people whose names the words need: pairs of a name in the template and the field with their id.
    """

    event: type[Event]
    person: str
    template: str
    channels: frozenset[Channel]
    path: str
    shows: tuple[str, ...] = ()
    amount: str | None = None
    computed: tuple[tuple[str, Callable[[Any], int]], ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    applies: Callable[[Any], bool] = lambda event: True

    @property
    def role(self) -> str:
        """What the person is in the event: owner, sender, receiver, borrower or lender."""
        return _ROLES[self.person]

    def person_in(self, event: Message) -> UUID:
        """Who is told."""
        found: UUID = getattr(event, self.person)
        return found

    def values_of(self, event: Message) -> dict[str, Any]:
        """What the words are made of: the event's fields, with texts made harmless, and what is computed from them."""
        fields = {name: getattr(event, name) for name in type(event).model_fields}
        return cleaned(fields) | {name: compute(event) for name, compute in self.computed}

    def data_of(self, event: Message) -> dict[str, Any]:
        """What the feed gives to programs: ids, the amount in minor units, and the page to open."""
        fields = event.model_dump(mode="json") | {name: compute(event) for name, compute in self.computed}
        data = {"role": self.role, "path": self.path.format_map(fields)}
        data |= {name: fields[name] for name in self.shows}
        if self.amount:
            data |= {"amount": fields[self.amount], "currency": fields["currency"]}
        return data


def _between_people(event: TransferCompleted) -> bool:
    return event.from_user_id != event.to_user_id


def _between_own_wallets(event: TransferCompleted) -> bool:
    return event.from_user_id == event.to_user_id


def _owner(event: type[Event], template: str, channels: frozenset[Channel], path: str, *shows: str) -> Announcement:
    return Announcement(event, "user_id", template, channels, path, shows)


def _transfer(
    person: str, template: str, channels: frozenset[Channel], applies: Callable[[Any], bool], **more: Any
) -> Announcement:
    wallet = "from_wallet_id" if person == "from_user_id" else "to_wallet_id"
    return Announcement(
        TransferCompleted,
        person,
        template,
        channels,
        f"/wallets/{{{wallet}}}",
        ("transfer_id", "description"),
        "amount_minor",
        applies=applies,
        **more,
    )


def _payment(event: type[Event], template: str, channels: frozenset[Channel], shown: str) -> Announcement:
    return Announcement(event, "user_id", template, channels, "/wallets/{wallet_id}", (shown, "wallet_id"), "amount_minor")


def _wallet_is(status: str, template: str) -> Announcement:
    """Who is gone is told nothing any more."""
    return Announcement(
        WalletStatusChanged,
        "user_id",
        template,
        FEED_AND_EMAIL,
        "/wallets/{wallet_id}",
        ("wallet_id", "status", "because"),
        applies=lambda event: event.status == status and event.because != "owner_left",
    )


def _corrected(direction: str, template: str) -> Announcement:
    """Events of old do not say whose wallet it is."""
    return Announcement(
        WalletCorrected,
        "user_id",
        template,
        FEED_AND_EMAIL,
        "/wallets/{wallet_id}",
        ("wallet_id", "transaction_id", "direction", "reason"),
        "amount_minor",
        applies=lambda event: event.direction == direction and event.user_id is not None,
    )


def _loan(
    event: type[Event],
    template: str,
    channels: frozenset[Channel] = FEED_AND_EMAIL,
    *shows: str,
    amount: str = "amount_minor",
) -> Announcement:
    return Announcement(event, "borrower_id", template, channels, "/loans/{loan_id}", ("loan_id", *shows), amount)


def _paid_to_lender(event: investments.InvestmentPaid) -> int:
    return event.principal_minor + event.interest_minor - event.service_fee_minor


def _investment(event: type[Event], template: str, amount: str = "amount_minor", **more: Any) -> Announcement:
    shows = ("investment_id", "loan_id")
    return Announcement(event, "lender_id", template, FEED_AND_EMAIL, "/investments/{investment_id}", shows, amount, **more)


ANNOUNCEMENTS: tuple[Announcement, ...] = (
    _owner(UserRegistered, "welcome", FEED, "/"),
    _owner(EmailVerified, "email_verified", FEED_AND_EMAIL, "/identity"),
    # Auth mails this one itself, by command, to the address that the account had when it happened.
    _owner(PasswordChanged, "password_was_changed", FEED, "/security"),
    _owner(SessionReuseDetected, "session_reuse_detected", FEED_AND_EMAIL, "/security", "session_id"),
    _owner(KycSubmitted, "kyc_submitted", FEED, "/identity", "kyc_id"),
    _owner(KycApproved, "kyc_approved", FEED_AND_EMAIL, "/", "kyc_id"),
    _owner(KycRejected, "kyc_rejected", FEED_AND_EMAIL, "/identity", "kyc_id"),
    _owner(KycExpiring, "kyc_expiring", FEED_AND_EMAIL, "/identity", "kyc_id"),
    _owner(KycExpired, "kyc_expired", FEED_AND_EMAIL, "/identity", "kyc_id"),
    _transfer("from_user_id", "transfer_sent", FEED_AND_EMAIL, _between_people),
    _transfer("to_user_id", "transfer_received", FEED_AND_EMAIL, _between_people, names=(("sender_name", "from_user_id"),)),
    _transfer("from_user_id", "transfer_between_own_wallets", FEED, _between_own_wallets),
    _payment(deposits.DepositSucceeded, "deposit_succeeded", FEED_AND_EMAIL, "deposit_id"),
    _payment(deposits.DepositFailed, "deposit_failed", FEED_AND_EMAIL, "deposit_id"),
    _payment(deposits.DepositExpired, "deposit_expired", FEED, "deposit_id"),
    _payment(withdrawals.WithdrawalRequested, "withdrawal_requested", FEED_AND_EMAIL, "withdrawal_id"),
    _payment(withdrawals.WithdrawalCompleted, "withdrawal_completed", FEED_AND_EMAIL, "withdrawal_id"),
    _payment(withdrawals.WithdrawalFailed, "withdrawal_failed", FEED_AND_EMAIL, "withdrawal_id"),
    _payment(withdrawals.WithdrawalCancelled, "withdrawal_cancelled", FEED, "withdrawal_id"),
    # Who did not do it has until then to object: see ADR 0026.
    _owner(destinations.PayoutDestinationAdded, "payout_destination_added", FEED_AND_EMAIL, "/security", *_DESTINATION),
    _owner(destinations.PayoutDestinationRemoved, "payout_destination_removed", FEED_AND_EMAIL, "/security", *_DESTINATION),
    _wallet_is("frozen", "wallet_frozen"),
    _wallet_is("open", "wallet_open_again"),
    _wallet_is("closed", "wallet_closed"),
    _corrected("credit", "wallet_corrected_in"),
    _corrected("debit", "wallet_corrected_out"),
    _loan(loans.LoanSubmitted, "loan_submitted"),
    _loan(loans.LoanApproved, "loan_approved"),
    _loan(loans.LoanDeclined, "loan_declined"),
    _loan(loans.LoanCancelled, "loan_cancelled"),
    _loan(loans.LoanExpired, "loan_expired"),
    # The money follows within moments, and that is worth an e-mail.
    _loan(loans.LoanFunded, "loan_funded", FEED),
    _loan(loans.LoanDisbursed, "loan_disbursed"),
    _loan(loans.LoanRepaid, "loan_repaid"),
    _loan(repayments.RepaymentCompleted, "repayment_completed", FEED_AND_EMAIL, "repayment_id"),
    _loan(repayments.RepaymentRejected, "repayment_rejected", FEED_AND_EMAIL, "repayment_id"),
    _loan(repayments.InstallmentDue, "installment_due", FEED_AND_EMAIL, "number", amount="outstanding_minor"),
    _loan(repayments.InstallmentOverdue, "installment_overdue", FEED_AND_EMAIL, "number", amount="overdue_minor"),
    _loan(repayments.LateFeeCharged, "late_fee_charged", FEED_AND_EMAIL, "number", amount="fee_minor"),
    _investment(investments.InvestmentHeld, "investment_held"),
    _investment(investments.InvestmentRejected, "investment_rejected"),
    _investment(investments.InvestmentReleased, "investment_released"),
    _investment(investments.InvestmentActivated, "investment_activated"),
    # The event's own amount is that of the whole investment.
    _investment(investments.InvestmentPaid, "investment_paid", "paid_minor", computed=(("paid_minor", _paid_to_lender),)),
)

ANNOUNCED_EVENTS: frozenset[type[Event]] = frozenset(announcement.event for announcement in ANNOUNCEMENTS)


def announcements_of(event: Message) -> list[Announcement]:
    """What is to be told about `event`, and to whom."""
    return [one for one in ANNOUNCEMENTS if one.event is type(event) and one.applies(event)]
