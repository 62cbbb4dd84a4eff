"""The core against the plain model: any transactions, cut into any batches, have the model's outcomes and balances."""

from collections import defaultdict
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.wallet_ledger.domain.account import Account
from services.wallet_ledger.domain.book import BatchResult, Book
from services.wallet_ledger.domain.entries import (
    Entry,
    Hold,
    PostHold,
    PostHoldGroup,
    Transfer,
    VoidHold,
    VoidHoldGroup,
)
from services.wallet_ledger.domain.ledger import run_batch
from services.wallet_ledger.domain.transaction import Outcome, Refused, Transaction
from tests.unit.wallet_ledger.ledger_model import Model

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
WALLETS = [f"wallet:{UUID(int=n)}" for n in range(4)]
YEN = f"wallet:{UUID(int=9)}"
PROVIDER = "provider:sandbox:KES"
CURRENCIES = dict.fromkeys([*WALLETS, PROVIDER], "KES") | {YEN: "JPY"}
ADDRESSES = st.sampled_from([*WALLETS, PROVIDER, PROVIDER, YEN, "wallet:nobody"])
AMOUNTS = st.integers(1, 60)
HOLD_IDS = st.integers(1000, 1012).map(lambda n: UUID(int=n))
GROUPS = st.sampled_from(["a", "b"])

_counter = iter(range(10**6, 10**9))


def fresh_id() -> UUID:
    return UUID(int=next(_counter))


transfers = st.builds(
    lambda debit, credit, amount: Transfer(fresh_id(), debit, credit, amount, "KES"), ADDRESSES, ADDRESSES, AMOUNTS
)
holds = st.builds(
    lambda hold_id, debit, credit, amount, group: Hold(hold_id, debit, credit, amount, "KES", group),
    HOLD_IDS, ADDRESSES, ADDRESSES, AMOUNTS, st.none() | GROUPS,
)  # fmt: skip
settlements = st.one_of(
    st.builds(PostHold, HOLD_IDS, st.none() | AMOUNTS),
    st.builds(VoidHold, HOLD_IDS),
    st.builds(PostHoldGroup, GROUPS),
    st.builds(VoidHoldGroup, GROUPS),
)
ENTRIES: st.SearchStrategy[Entry] = st.one_of(transfers, transfers, holds, settlements)
TRANSACTIONS = st.builds(
    lambda key, mark, entries: Transaction(fresh_id(), "s", str(key), bytes([mark]) * 32, "k", tuple(entries)),
    st.integers(0, 80),
    st.sampled_from([1, 1, 1, 2]),
    st.lists(ENTRIES, min_size=1, max_size=4),
)
BATCHES = st.lists(st.lists(TRANSACTIONS, min_size=1, max_size=6), min_size=1, max_size=6)


def opening_book() -> Book:
    accounts = {
        address: Account(number, address, currency, None if address == PROVIDER else 0)
        for number, (address, currency) in enumerate(CURRENCIES.items(), 1)
    }
    return Book(accounts=accounts)


def said(outcome: Outcome | Refused) -> str:
    if isinstance(outcome, Refused):
        return "refused"
    return "posted" if outcome.posted else str(outcome.code)


@settings(max_examples=300, deadline=None)
@given(BATCHES)
def test_the_core_does_what_the_model_does(batches: list[list[Transaction]]) -> None:
    book, model = opening_book(), Model(CURRENCIES, frozenset({PROVIDER}), NOW)
    results: list[BatchResult] = []

    for batch in batches:
        result = run_batch(book, batch, NOW)
        results.append(result)
        assert [said(outcome) for outcome in result.outcomes] == [model.post(transaction) for transaction in batch]

    for address in CURRENCIES:
        account = book.accounts[address]
        assert account.balance_minor == model.balances.get(address, 0)
        assert account.debits_pending_minor == model.held(address)
        if account.floor_minor is not None:
            assert account.available_minor >= 0
    check_rows(book, results)


def check_rows(book: Book, results: list[BatchResult]) -> None:
    """The rows alone tell every account's story, without a gap, to its end."""
    rows = [row for result in results for row in result.transfers]
    seen: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0])  # version, balance, pending debits, pending credits
    for row in rows:
        debit, credit = seen[row.debit_account_id], seen[row.credit_account_id]
        debit[0] += 1
        debit[1] -= row.amount_minor
        debit[2] += row.pending_minor
        credit[0] += 1
        credit[1] += row.amount_minor
        credit[3] += row.pending_minor
        assert (row.debit_version, row.debit_balance_after_minor, row.debit_pending_after_minor) == tuple(debit[:3])
        assert (row.credit_version, row.credit_balance_after_minor) == tuple(credit[:2])
        assert row.credit_pending_after_minor == credit[3]
    for account in book.accounts.values():
        version, balance, pending_debits, pending_credits = seen[account.id]
        assert (account.version, account.balance_minor) == (version, balance)
        assert (account.debits_pending_minor, account.credits_pending_minor) == (pending_debits, pending_credits)
    recorded = [one for result in results for one in result.recorded]
    assert [one.outcome.sequence for one in recorded] == list(range(1, len(recorded) + 1))
    assert sum(one.transfer_count for one in recorded) == len(rows)
    assert sum(account.balance_minor for account in book.accounts.values()) == 0


@settings(max_examples=100, deadline=None)
@given(st.lists(TRANSACTIONS, min_size=1, max_size=12), st.data())
def test_how_transactions_are_cut_into_batches_makes_no_difference(transactions: list[Transaction], data: st.DataObject) -> None:
    together = opening_book()
    whole = run_batch(together, transactions, NOW)
    cut = data.draw(st.integers(0, len(transactions)))

    apart = opening_book()
    first, second = run_batch(apart, transactions[:cut], NOW), run_batch(apart, transactions[cut:], NOW)

    assert [*first.transfers, *second.transfers] == whole.transfers
    assert [said(one) for one in (*first.outcomes, *second.outcomes)] == [said(one) for one in whole.outcomes]
    assert apart.last_sequence == together.last_sequence
