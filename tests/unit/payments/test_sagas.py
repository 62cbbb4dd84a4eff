"""Deposits and withdrawals as tables of states: complete, and the ways that matter."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from services.payments.sagas import deposit as d
from services.payments.sagas import withdrawal as w
from shared.contracts.payments.deposit_events import DepositExpired, DepositFailed, DepositSucceeded
from shared.contracts.payments.provider_commands import RunPayout
from shared.contracts.payments.withdrawal_events import WithdrawalCancelled, WithdrawalCompleted, WithdrawalFailed
from shared.contracts.wallet_ledger.transaction_commands import Hold, PostHold, PostTransaction, Transfer, VoidHold
from shared.contracts.wallet_ledger.transaction_events import TransactionPosted, TransactionRejected
from shared.ids import new_id
from shared.messaging.envelope import Message
from shared.sagas import DEADLINE_PASSED, Saga, check_total
from shared.sagas.definition import Cause

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ID = new_id()
DEPOSIT = d.DepositData(
    deposit_id=ID, user_id=new_id(), wallet_id=new_id(), amount_minor=12_345, currency="KES", provider="sandbox"
)
WITHDRAWAL = w.WithdrawalData(
    withdrawal_id=ID, user_id=new_id(), wallet_id=new_id(), amount_minor=12_345, currency="KES", provider="sandbox"
)
POSTED = TransactionPosted(
    transaction_id=new_id(),
    idempotency_key="k",
    requested_by="payments",
    kind="deposit",
    reference=f"deposit:{ID}",
    booked_at=NOW,
)
REJECTED = TransactionRejected(
    transaction_id=new_id(),
    idempotency_key="k",
    requested_by="payments",
    kind="withdrawal",
    reference=f"withdrawal:{ID}",
    code="insufficient_funds",
    detail="Too little money.",
)


def run_deposit(*causes: Cause) -> tuple[Saga[d.DepositData], list[Message]]:
    saga, sent = d.DEPOSIT.begin(ID, DEPOSIT, NOW), []
    for cause in causes:
        saga, messages = d.DEPOSIT.advance(saga, cause, NOW)
        sent.extend(messages)
    return saga, sent


def run_withdrawal(*causes: Cause) -> tuple[Saga[w.WithdrawalData], list[Message]]:
    saga, sent = w.WITHDRAWAL.begin(ID, WITHDRAWAL, NOW), []
    for cause in causes:
        saga, messages = w.WITHDRAWAL.advance(saga, cause, NOW)
        sent.extend(messages)
    return saga, sent


@pytest.mark.parametrize("definition", [d.DEPOSIT, w.WITHDRAWAL], ids=lambda definition: definition.kind)
def test_every_pair_of_state_and_message_is_decided(definition):
    assert check_total(definition) == []


def test_a_paid_deposit_is_credited_and_succeeds_only_when_it_is_posted():
    saga, sent = run_deposit(d.PaymentConfirmed())
    assert saga.state is d.DepositState.CREDITING
    (command,) = sent
    assert isinstance(command, PostTransaction)
    (entry,) = command.entries
    assert isinstance(entry, Transfer)
    assert (entry.debit_account, entry.credit_account) == ("provider:sandbox:KES", f"wallet:{DEPOSIT.wallet_id}")
    assert (entry.amount_minor, entry.currency) == (12_345, "KES")
    saga, sent = run_deposit(d.PaymentConfirmed(), POSTED)
    assert saga.state is d.DepositState.SUCCEEDED
    assert isinstance(sent[-1], DepositSucceeded)
    assert saga.deadline_at is None


def test_a_deposit_is_credited_with_one_transaction_however_often_it_is_confirmed_or_asked_for_again():
    _, sent = run_deposit(d.PaymentConfirmed(), d.PaymentConfirmed(), DEADLINE_PASSED, POSTED, d.PaymentConfirmed())
    commands = [message for message in sent if isinstance(message, PostTransaction)]
    assert len(commands) == 2
    assert commands[0] == commands[1]


@pytest.mark.parametrize(
    ("cause", "code"),
    [(d.PaymentRefused(code="payment_declined", reason="No."), "payment_declined"), (d.PaymentMismatched(), "payment_mismatch")],
)
def test_an_unpaid_or_wrongly_paid_deposit_fails_and_credits_nothing(cause, code):
    saga, sent = run_deposit(cause, d.PaymentConfirmed(), POSTED, DEADLINE_PASSED)
    assert saga.state is d.DepositState.FAILED
    assert saga.data.failure_code == code
    assert [type(message) for message in sent] == [DepositFailed]


def test_a_deposit_that_was_paid_in_the_last_second_is_credited_after_it_has_expired():
    saga, sent = run_deposit(DEADLINE_PASSED)
    assert saga.state is d.DepositState.EXPIRED
    assert [type(message) for message in sent] == [DepositExpired]
    saga, sent = run_deposit(DEADLINE_PASSED, d.PaymentConfirmed(), POSTED)
    assert saga.state is d.DepositState.SUCCEEDED


def test_money_that_the_wallet_cannot_take_goes_to_suspense():
    saga, sent = run_deposit(d.PaymentConfirmed(), REJECTED)
    assert saga.state is d.DepositState.PARKING
    park = sent[-1]
    assert isinstance(park, PostTransaction)
    assert park.entries[0].credit_account == "suspense:KES"
    assert park.transaction_id == d.awaited_transaction(saga.state, ID) != sent[0].transaction_id
    saga, sent = run_deposit(d.PaymentConfirmed(), REJECTED, POSTED)
    assert (saga.state, saga.data.failure_code) == (d.DepositState.FAILED, "credit_rejected")
    assert isinstance(sent[-1], DepositFailed)


def entry_types(sent: list[Message]) -> list[type]:
    return [type(entry) for message in sent if isinstance(message, PostTransaction) for entry in message.entries]


def test_a_withdrawal_holds_pays_and_books():
    saga, sent = run_withdrawal(POSTED, w.PayoutStarted(), w.PayoutConfirmed(), POSTED)
    assert saga.state is w.WithdrawalState.COMPLETED
    assert [type(message) for message in sent] == [RunPayout, PostTransaction, WithdrawalCompleted]
    assert entry_types(sent) == [PostHold]
    (hold,) = w.hold_money(WITHDRAWAL)[0].entries
    assert isinstance(hold, Hold)
    assert sent[1].entries[0].hold_id == hold.id


def test_a_withdrawal_without_the_money_fails_and_never_reaches_the_provider():
    saga, sent = run_withdrawal(REJECTED)
    assert saga.state is w.WithdrawalState.FAILED
    (failed,) = sent
    assert isinstance(failed, WithdrawalFailed)
    assert (failed.code, failed.reason) == ("insufficient_funds", "There is not enough money in the wallet.")


def test_a_refused_payout_puts_the_money_back_and_then_fails():
    refused = w.PayoutRefused(code="payout_refused", reason="No such account.")
    saga, sent = run_withdrawal(POSTED, w.PayoutStarted(), refused)
    assert saga.state is w.WithdrawalState.RELEASING
    assert entry_types(sent) == [VoidHold]
    assert not any(isinstance(message, WithdrawalFailed) for message in sent)
    saga, sent = run_withdrawal(POSTED, w.PayoutStarted(), refused, POSTED)
    assert saga.state is w.WithdrawalState.FAILED
    assert sent[-1].code == "payout_refused"


def test_while_nobody_knows_the_money_stays_held():
    saga, sent = run_withdrawal(POSTED, w.PayoutStarted(), DEADLINE_PASSED, w.CancelRequested(), DEADLINE_PASSED)
    assert saga.state is w.WithdrawalState.PAYING
    assert entry_types(sent) == []
    assert [type(message) for message in sent] == [RunPayout] * 3


def test_a_withdrawal_can_be_cancelled_until_a_worker_has_taken_it():
    saga, sent = run_withdrawal(POSTED, w.CancelRequested(), w.PayoutStarted())
    assert saga.state is w.WithdrawalState.CANCELLING
    assert entry_types(sent) == [VoidHold]
    saga, sent = run_withdrawal(POSTED, w.CancelRequested(), w.PayoutStarted(), POSTED)
    assert saga.state is w.WithdrawalState.CANCELLED
    assert isinstance(sent[-1], WithdrawalCancelled)
    saga, _ = run_withdrawal(POSTED, w.PayoutStarted(), w.CancelRequested())
    assert saga.state is w.WithdrawalState.PAYING


@pytest.mark.parametrize(("outcome", "released"), [(POSTED, [VoidHold]), (REJECTED, [])])
def test_a_withdrawal_cancelled_before_its_hold_is_known_waits_for_it(outcome, released):
    saga, sent = run_withdrawal(w.CancelRequested())
    assert (saga.state, sent) == (w.WithdrawalState.RECALLING, [])
    saga, sent = run_withdrawal(w.CancelRequested(), outcome)
    assert entry_types(sent) == released
    saga, sent = run_withdrawal(w.CancelRequested(), outcome, POSTED)
    assert saga.state is w.WithdrawalState.CANCELLED
    assert sum(isinstance(message, WithdrawalCancelled) for message in sent) == 1


@pytest.mark.parametrize(
    "way",
    [
        (POSTED, w.PayoutStarted(), w.PayoutConfirmed()),
        (POSTED, w.PayoutStarted(), w.PayoutRefused(code="c", reason="r")),
        (POSTED, w.CancelRequested()),
    ],
)
def test_settling_a_hold_that_the_ledger_refuses_is_tried_again_as_a_new_transaction(way):
    stuck, _ = run_withdrawal(*way)
    refused, sent = w.WITHDRAWAL.advance(stuck, REJECTED, NOW)
    assert (refused.state, list(sent)) == (stuck.state, [])
    again, sent = w.WITHDRAWAL.advance(refused, DEADLINE_PASSED, NOW)
    assert again.state is stuck.state
    assert sent[0].transaction_id == w.awaited_transaction(again.state, again.data)
    assert sent[0].transaction_id != w.awaited_transaction(stuck.state, stuck.data)
    assert sent[0].entries[0].hold_id == w.hold_money(WITHDRAWAL)[0].entries[0].id


def test_no_late_message_moves_a_settled_saga():
    late = (POSTED, REJECTED, w.PayoutStarted(), w.PayoutConfirmed(), w.PayoutRefused(code="c", reason="r"), w.CancelRequested())
    for way in ((REJECTED,), (POSTED, w.PayoutStarted(), w.PayoutConfirmed(), POSTED), (POSTED, w.CancelRequested(), POSTED)):
        settled, _ = run_withdrawal(*way)
        assert settled.state in w.WITHDRAWAL.final
        for cause in (*late, DEADLINE_PASSED):
            assert w.WITHDRAWAL.advance(settled, cause, NOW) == (settled, ())


def test_ids_of_a_withdrawals_transactions_differ_from_step_to_step():
    ids = [w.transaction_id(WITHDRAWAL, step) for step in ("hold", "post", "void")]
    ids.append(w.transaction_id(WITHDRAWAL.model_copy(update={"attempt": 2}), "post"))
    assert all(one != other for one, other in pairwise(sorted(ids)))
    assert w.transaction_id(WITHDRAWAL, "hold") == w.transaction_id(WITHDRAWAL.model_copy(update={"attempt": 2}), "hold")
