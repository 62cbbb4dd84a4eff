"""Who is told what: the table covers every event, and every row of it has words."""

import importlib
import pkgutil
from html import unescape
from inspect import isabstract

import pytest

import shared.contracts
from services.notifications.consumers import CONSUMERS
from services.notifications.domain.announcements import ANNOUNCED_EVENTS, ANNOUNCEMENTS, Announcement, announcements_of
from services.notifications.rendering import Renderer
from shared.contracts.auth.audit_events import ActionTaken
from shared.contracts.auth.key_events import SigningKeyAdded, SigningKeyRevoked
from shared.contracts.auth.kyc_events import KycLevelChanged
from shared.contracts.auth.privacy_messages import ErasureDecided, ErasureRequested, ExportRequested
from shared.contracts.auth.session_events import SessionsEnded
from shared.contracts.auth.user_events import UserUpdated
from shared.contracts.lending.investment_events import InvestmentPaid
from shared.contracts.lending.repayment_events import RepaymentCompleted
from shared.contracts.lending.wallet_use_events import WalletUseChanged
from shared.contracts.payments.deposit_events import DepositStarted
from shared.contracts.payments.destination_events import PayoutDestinationAdded
from shared.contracts.payments.reconciliation_events import ReconciliationDifferencesFound
from shared.contracts.wallet_ledger.account_events import (
    LedgerMismatchFound,
    ProviderAccountMoved,
    WalletCorrected,
    WalletStatusChanged,
)
from shared.contracts.wallet_ledger.transaction_events import TransactionPosted, TransactionRejected
from shared.contracts.wallet_ledger.wallet_events import WalletOpened
from shared.messaging.envelope import Event
from tests.unit.notifications.samples import BORROWER, EVENTS, LENDER, transfer

# People are not told about these: they have just done it themselves, or it is talk between services.
UNTOLD: set[type[Event]] = {
    ActionTaken,
    ErasureDecided,
    ErasureRequested,
    ExportRequested,
    KycLevelChanged,
    LedgerMismatchFound,
    ProviderAccountMoved,
    ReconciliationDifferencesFound,
    SessionsEnded,
    SigningKeyAdded,
    SigningKeyRevoked,
    UserUpdated,
    WalletUseChanged,
    DepositStarted,
    WalletOpened,
    TransactionPosted,
    TransactionRejected,
}

RENDERER = Renderer("https://lendery.example.org")
TOLD = [(event, announcement) for event in EVENTS for announcement in announcements_of(event)]


def _every_event() -> set[type[Event]]:
    for module in pkgutil.walk_packages(shared.contracts.__path__, "shared.contracts."):
        if not module.name.endswith("generate") and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found: set[type[Event]] = set()
    pending = [Event]
    while pending:
        event = pending.pop()
        pending.extend(event.__subclasses__())
        if hasattr(event, "type") and not isabstract(event) and event.__module__.startswith("shared.contracts."):
            found.add(event)
    return found


def test_every_event_is_told_to_somebody_or_left_out_on_purpose() -> None:
    """A new event must be decided about."""
    assert _every_event() == ANNOUNCED_EVENTS | UNTOLD
    assert not ANNOUNCED_EVENTS & UNTOLD


def test_every_announced_event_has_a_consumer_and_a_sample() -> None:
    """The samples of these tests cover the whole table."""
    assert set(CONSUMERS) >= ANNOUNCED_EVENTS
    assert {announcement for _, announcement in TOLD} == set(ANNOUNCEMENTS)


@pytest.mark.parametrize(("event", "announcement"), TOLD, ids=lambda value: getattr(value, "template", ""))
def test_every_announcement_renders(event: Event, announcement: Announcement) -> None:
    """Title and summary for the feed, and an e-mail in two forms with the same words."""
    words = RENDERER.words(announcement.template, "en", announcement.values_of(event) | {"sender_name": "Otieno"})
    data = announcement.data_of(event)
    content = RENDERER.email(words, "en", full_name="Amina Wanjiru", link=data["path"])

    assert words.title == " ".join(words.title.split())
    assert len(words.title) <= 90
    assert words.title[-1] != "."
    assert words.summary.endswith(".")
    assert len(words.summary) <= 300
    assert "\n" not in content.subject
    for form in (content.text, unescape(content.html)):
        assert words.title in form or form is content.text
        assert words.summary in form
        assert "Hello Amina Wanjiru," in form
        assert all(label in form and value in form and value for label, value in words.facts)
        assert "{{" not in form
        assert "None" not in form
        assert "Undefined" not in form
    assert ("email" not in announcement.channels) or words.action, "an e-mail leads somewhere"
    if words.action:
        assert f"https://lendery.example.org{data['path']}" in content.text
        assert f'href="https://lendery.example.org{data["path"]}"' in content.html
    assert "{" not in data["path"]


def test_amounts_are_shown_in_major_units_and_given_to_programs_in_minor_units() -> None:
    """KES has two decimals."""
    event = next(event for event in EVENTS if isinstance(event, RepaymentCompleted))
    (announcement,) = announcements_of(event)
    words = RENDERER.words(announcement.template, "en", announcement.values_of(event))
    assert words.title == "We received your payment of KES 4,591.23"
    assert "You still owe KES 46,179.54 of the amount you borrowed." in words.summary
    assert ("Date", "28 February 2026") in words.facts
    assert "Fees" not in dict(words.facts)
    assert announcement.data_of(event) == {
        "role": "borrower",
        "path": "/loans/00000000-0000-0000-0000-00000000000a",
        "loan_id": "00000000-0000-0000-0000-00000000000a",
        "repayment_id": "00000000-0000-0000-0000-00000000001e",
        "amount": 459_123,
        "currency": "KES",
    }


def test_a_lender_is_told_what_reached_the_wallet_and_not_what_was_invested() -> None:
    """Principal and interest, less the service fee."""
    event = next(event for event in EVENTS if isinstance(event, InvestmentPaid))
    (announcement,) = announcements_of(event)
    words = RENDERER.words(announcement.template, "en", announcement.values_of(event))
    assert words.title == "You received KES 12,345.67 from a loan"
    assert words.facts == (
        ("Repaid to you", "KES 12,000.00"),
        ("Interest", "KES 384.13"),
        ("Service fee", "KES −38.46"),
        ("Paid to your wallet", "KES 12,345.67"),
    )
    assert announcement.data_of(event)["amount"] == 1_234_567


def test_a_transfer_is_told_to_both_people_and_shows_neither_the_others_wallet() -> None:
    """The receiver learns who sent it; nobody learns the other's wallet or id."""
    sent, received = announcements_of(transfer())
    assert (sent.person_in(transfer()), received.person_in(transfer())) == (LENDER, BORROWER)
    assert str(transfer().to_wallet_id) not in str(sent.data_of(transfer()))
    assert str(transfer().from_wallet_id) not in str(received.data_of(transfer()))
    assert str(LENDER) not in str(received.data_of(transfer()))


def test_a_transfer_between_own_wallets_is_told_once() -> None:
    """And without an e-mail."""
    (only,) = announcements_of(transfer(to_user_id=LENDER))
    assert only.template == "transfer_between_own_wallets"
    assert only.channels == {"in_app"}


def test_nobody_is_told_twice_about_one_event() -> None:
    """The feed has one entry for an event and a person."""
    for event in EVENTS:
        people = [announcement.person_in(event) for announcement in announcements_of(event)]
        assert len(people) == len(set(people))


def test_who_left_is_told_nothing_of_a_closed_wallet() -> None:
    """And an event that does not say whose wallet was corrected is told to nobody."""
    closed = next(event for event in EVENTS if isinstance(event, WalletStatusChanged) and event.status == "closed")
    assert announcements_of(closed)
    assert not announcements_of(closed.model_copy(update={"because": "owner_left"}))
    corrected = next(event for event in EVENTS if isinstance(event, WalletCorrected))
    assert not announcements_of(corrected.model_copy(update={"user_id": None}))


def test_a_new_payout_destination_says_from_when_it_counts_if_that_is_not_now() -> None:
    """The words are the owner's chance to object."""
    summaries = []
    for event in (event for event in EVENTS if isinstance(event, PayoutDestinationAdded)):
        (announcement,) = announcements_of(event)
        assert announcement.channels == {"in_app", "email"}
        summaries.append(RENDERER.words(announcement.template, "en", announcement.values_of(event)).summary)
    now, later = summaries
    assert now == "Sandbox, account ••••0001, can be used for payouts from your account."
    assert later == "Sandbox, account ••••0001, can be used for payouts from your account from 1 February 2026, 14:05 UTC on."
