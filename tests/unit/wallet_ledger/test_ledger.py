"""The core's rules, one at a time."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from services.wallet_ledger.domain.account import Account, AccountStatus
from services.wallet_ledger.domain.book import BatchResult, Book
from services.wallet_ledger.domain.chart_of_accounts import rule_for
from services.wallet_ledger.domain.entries import (
    Entry,
    ExpireHold,
    Hold,
    PostHold,
    PostHoldGroup,
    Transfer,
    VoidHold,
    VoidHoldGroup,
)
from services.wallet_ledger.domain.ledger import run_batch
from services.wallet_ledger.domain.rules import MAX_TOTAL_MINOR
from services.wallet_ledger.domain.transaction import Outcome, Refused, Transaction
from shared.ids import new_id

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ANN, BEN, BANK = f"wallet:{UUID(int=1)}", f"wallet:{UUID(int=2)}", "provider:sandbox:KES"


def book(ann_minor: int = 1_000) -> Book:
    accounts = [
        Account(1, ANN, "KES", 0, credits_posted_minor=ann_minor),
        Account(2, BEN, "KES", 0),
        Account(3, BANK, "KES", None, debits_posted_minor=ann_minor),
    ]
    return Book(accounts={account.address: account for account in accounts})


def ask(*entries: Entry, **fields: object) -> Transaction:
    given = {"id": new_id(), "scope": "s", "idempotency_key": str(new_id()), "fingerprint": b"f" * 32, "kind": "k"}
    return Transaction(**(given | {"entries": entries} | fields))  # type: ignore[arg-type]


def move(amount_minor: int, debit: str = ANN, credit: str = BEN, currency: str = "KES") -> Transfer:
    return Transfer(new_id(), debit, credit, amount_minor, currency)


def run(ledger: Book, *batch: Transaction, now: datetime = NOW) -> BatchResult:
    return run_batch(ledger, batch, now)


def code(ledger: Book, *entries: Entry, now: datetime = NOW, **fields: object) -> str | None:
    (outcome,) = run(ledger, ask(*entries, **fields), now=now).outcomes
    assert isinstance(outcome, Outcome)
    return outcome.code


def test_later_transactions_of_a_batch_see_earlier_ones() -> None:
    ledger = book(100)
    outcomes = run(ledger, ask(move(100)), ask(move(100)), ask(move(60, BEN, ANN)), ask(move(60))).outcomes
    assert [getattr(outcome, "code", None) for outcome in outcomes] == [None, "insufficient_funds", None, None]
    assert ledger.accounts[BEN].balance_minor == 100


def test_a_rejected_transaction_changes_nothing_at_all() -> None:
    ledger, untouched = book(), book()
    hold = new_id()
    result = run(
        ledger,
        ask(move(10), Hold(hold, ANN, BEN, 5, "KES", "g"), move(1, ANN, "fees:KES"), VoidHold(hold), move(5_000)),
    )
    assert ledger.accounts == untouched.accounts
    assert (ledger.holds, ledger.groups.get("g", [])) == ({}, [])
    assert (result.transfers, result.accounts, result.holds) == ([], {}, {})
    assert [one.outcome.status for one in result.recorded] == ["rejected"]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (move(0), "amount_out_of_range"),
        (move(-1), "amount_out_of_range"),
        (move(10**15 + 1, BANK), "amount_out_of_range"),
        (move(1, ANN, ANN), "same_account"),
        (move(1, currency="USD"), "currency_mismatch"),
        (move(1, ANN, f"wallet:{UUID(int=3)}"), "account_not_found"),
        (move(1, ANN, "nonsense"), "account_not_found"),
        (move(1_001), "insufficient_funds"),
        (PostHold(UUID(int=5)), "hold_not_found"),
        (VoidHold(UUID(int=5)), "hold_not_found"),
        (PostHoldGroup("g"), "hold_group_empty"),
        (VoidHoldGroup("g"), None),
        (Hold(UUID(int=5), ANN, BEN, 1_001, "KES"), "insufficient_funds"),
        (Hold(UUID(int=5), ANN, BEN, 1, "KES", expires_at=NOW), "hold_expired"),
    ],
)
def test_what_is_rejected(entry: Entry, expected: str | None) -> None:
    assert code(book(), entry) == expected


def test_held_money_counts_as_gone_and_its_release_does_not() -> None:
    ledger, hold = book(), new_id()
    assert code(ledger, Hold(hold, ANN, BEN, 900, "KES")) is None
    assert code(ledger, move(101)) == "insufficient_funds"
    assert code(ledger, PostHold(hold, 901)) == "hold_amount_exceeded"
    assert code(ledger, PostHold(hold, 1)) is None
    assert code(ledger, move(999)) is None
    assert code(ledger, PostHold(hold)) == "hold_already_posted"
    assert code(ledger, Hold(hold, BANK, BEN, 1, "KES")) == "hold_exists"


def test_deadlines_are_looked_at_when_writing() -> None:
    ledger, early, late = book(), new_id(), new_id()
    deadline = NOW + timedelta(hours=1)
    run(ledger, ask(Hold(early, ANN, BEN, 1, "KES", "g", deadline), Hold(late, ANN, BEN, 2, "KES", "g", deadline)))
    assert code(ledger, ExpireHold(early)) == "hold_not_expired"
    assert code(ledger, PostHold(late), now=deadline - timedelta(microseconds=1)) is None
    assert code(ledger, PostHold(early), now=deadline) == "hold_expired"
    assert code(ledger, VoidHold(early), now=deadline) == "hold_expired"
    assert code(ledger, PostHoldGroup("g"), now=deadline) == "hold_expired"
    assert code(ledger, ExpireHold(early), now=deadline) is None
    assert code(ledger, ExpireHold(early), now=deadline) == "hold_expired"
    assert (ledger.accounts[ANN].debits_pending_minor, ledger.accounts[BEN].balance_minor) == (0, 2)


def test_keys_are_known_for_ever() -> None:
    ledger = book()
    first, again = ask(move(1), idempotency_key="k"), ask(move(1), idempotency_key="k")
    other = ask(move(2), idempotency_key="k", fingerprint=b"g" * 32)
    outcomes = run(ledger, first, again, other).outcomes
    assert isinstance(outcomes[1], Outcome)
    assert (outcomes[1].transaction_id, outcomes[1].replayed) == (first.id, True)
    assert isinstance(outcomes[2], Refused)
    assert outcomes[2].code == "idempotency_key_reused"
    assert ledger.accounts[BEN].balance_minor == 1


def test_an_id_names_one_transaction_of_a_batch() -> None:
    ledger = book()
    first = ask(move(1))
    outcomes = run(ledger, first, ask(move(1), id=first.id)).outcomes
    assert isinstance(outcomes[1], Refused)
    assert outcomes[1].code == "transaction_id_reused"


def test_entry_ids_are_unique_in_a_transaction() -> None:
    entry = move(1)
    assert code(book(), entry, entry) == "entry_id_reused"


def test_frozen_gives_nothing_but_settles_what_was_promised() -> None:
    ledger, hold = book(), new_id()
    run(ledger, ask(Hold(hold, ANN, BEN, 5, "KES")))
    ledger.accounts[ANN].status = AccountStatus.FROZEN
    assert code(ledger, move(1)) == "account_frozen"
    assert code(ledger, Hold(new_id(), ANN, BEN, 1, "KES")) == "account_frozen"
    assert code(ledger, move(1, BANK, ANN)) is None
    assert code(ledger, PostHold(hold)) is None
    ledger.accounts[ANN].status = AccountStatus.CLOSED
    assert code(ledger, move(1, BANK, ANN)) == "account_closed"


def test_limits() -> None:
    ledger = book()
    ledger.accounts[ANN].daily_debit_limit_minor = 100
    ledger.accounts[BEN].maximum_balance_minor = 150
    assert code(ledger, move(60), move(41)) == "daily_debit_limit_exceeded"
    assert ledger.accounts[ANN].debited_minor == 0
    assert code(ledger, move(60), Hold(new_id(), ANN, BEN, 40, "KES")) is None
    assert code(ledger, move(1)) == "daily_debit_limit_exceeded"
    tomorrow = NOW + timedelta(days=1)
    assert code(ledger, move(51), now=tomorrow) == "maximum_balance_exceeded"
    assert code(ledger, move(50), now=tomorrow) is None


def test_an_account_is_never_counted_beyond_its_columns() -> None:
    ledger = book()
    ledger.accounts[BANK].debits_posted_minor = MAX_TOTAL_MINOR - 5
    assert code(ledger, move(6, BANK, BEN)) == "account_full"
    assert code(ledger, move(5, BANK, BEN)) is None
    ledger.accounts[BEN].credits_posted_minor = MAX_TOTAL_MINOR
    assert code(ledger, move(1, ANN, BEN)) == "account_full"


def test_a_transaction_is_reversed_once() -> None:
    ledger, original = book(), new_id()
    ledger.reversed = {UUID(int=9)}
    assert code(ledger, move(1), reverses=UUID(int=9)) == "already_reversed"
    assert code(ledger, move(5_000), reverses=original) == "insufficient_funds"
    assert code(ledger, move(1), reverses=original) is None
    assert code(ledger, move(1), reverses=original) == "already_reversed"


def test_accounts_open_themselves_in_the_currency_of_their_first_posted_entry() -> None:
    ledger = book()
    loan = f"loan:{UUID(int=7)}:funding"
    ledger.reserved_ids = {loan: 50, "fees:USD": 51}
    yen = f"wallet:{UUID(int=8)}"
    ledger.accounts[yen] = Account(60, yen, "JPY", 0, credits_posted_minor=10)
    result = run(
        ledger,
        ask(move(5_000, ANN, loan)),
        ask(move(1, ANN, "fees:USD")),
        ask(move(10, yen, loan, "JPY")),
        ask(move(1, ANN, loan)),
    )
    assert [getattr(outcome, "code", None) for outcome in result.outcomes] == [
        "insufficient_funds",
        "currency_mismatch",
        None,
        "currency_mismatch",
    ]
    assert (ledger.accounts[loan].id, ledger.accounts[loan].currency, ledger.accounts[loan].is_new) == (50, "JPY", True)
    assert "fees:USD" not in ledger.accounts


def test_booking_times_never_fall_and_other_days_are_noted() -> None:
    ledger = book()
    ledger.last_booked_at = NOW + timedelta(seconds=5)
    result = run(ledger, ask(move(1), effective_on=date(2026, 1, 31)), ask(move(1), effective_on=date(2026, 1, 2)))
    assert {one.outcome.booked_at for one in result.recorded} == {NOW + timedelta(seconds=5)}
    assert [row.effective_on for row in result.transfers] == [None, date(2026, 1, 2)]


def test_a_transaction_has_at_most_fifty_thousand_transfers() -> None:
    ledger = book()
    assert code(ledger, *(move(1, BANK, BEN) for _ in range(50_001))) == "too_many_transfers"
    assert ledger.accounts[BEN].balance_minor == 0


@pytest.mark.parametrize(
    ("address", "floor_minor", "opens_itself", "currency"),
    [
        (ANN, 0, False, None),
        (f"loan:{UUID(int=1)}:funding", 0, True, None),
        (f"loan:{UUID(int=1)}:collections", 0, True, None),
        (f"ticket:{UUID(int=1)}:escrow", 0, True, None),
        ("fees:KES", 0, True, "KES"),
        ("reserve:USD", 0, True, "USD"),
        ("provider:m-pesa:KES", None, True, "KES"),
        ("position:JPY", None, True, "JPY"),
        ("suspense:KES", None, True, "KES"),
    ],
)
def test_the_chart(address: str, floor_minor: int | None, opens_itself: bool, currency: str | None) -> None:
    rule = rule_for(address)
    assert rule is not None
    assert (rule.floor_minor, rule.opens_itself, rule.currency) == (floor_minor, opens_itself, currency)


@pytest.mark.parametrize(
    "address",
    ["", "wallet:", "wallet:1", f"wallet:{UUID(int=1)}x", f"WALLET:{UUID(int=1)}", "fees:", "fees:kes", "fees:KES:x",
     f"loan:{UUID(int=1)}", f"loan:{UUID(int=1)}:other", "provider::KES", "provider:A:KES", "cash:KES", "fees:KES\n"],
)  # fmt: skip
def test_what_the_chart_does_not_have(address: str) -> None:
    assert rule_for(address) is None
