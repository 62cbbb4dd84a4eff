"""Lending's sagas: every pair of state and message, and the ways through them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.lending.sagas import funding, investment, repayment
from services.lending.sagas.funding import FUNDING, FundingRound
from services.lending.sagas.investment import INVESTMENT, reservation
from services.lending.sagas.repayment import REPAYMENT, Payment
from shared.contracts.lending.loan_events import LoanCancelled, LoanExpired, LoanFunded
from shared.contracts.wallet_ledger.transaction_commands import PostHoldGroup, PostTransaction, Transfer, VoidHold, VoidHoldGroup
from shared.contracts.wallet_ledger.transaction_events import TransactionPosted, TransactionRejected
from shared.sagas import DEADLINE_PASSED, Definition, Saga, check_total

NOW = datetime(2026, 1, 2, tzinfo=UTC)
LOAN = uuid4()
LOAN_FACTS = {"loan_id": LOAN, "borrower_id": uuid4(), "amount_minor": 100, "currency": "KES"}
CANCELLED = LoanCancelled(**LOAN_FACTS, reason="x")
EXPIRED = LoanExpired(**LOAN_FACTS)
FUNDED = LoanFunded(**LOAN_FACTS)


def posted(transaction_id: UUID | None = None) -> TransactionPosted:
    return TransactionPosted(
        transaction_id=transaction_id or uuid4(), idempotency_key="k", requested_by="lending", kind="x", booked_at=NOW
    )


def rejected() -> TransactionRejected:
    return TransactionRejected(
        transaction_id=uuid4(), idempotency_key="k", requested_by="lending", kind="x", code="insufficient_funds", detail="x"
    )


def begun(definition: Definition[Any]) -> Saga[Any]:
    data: Any = {
        "investment": reservation(uuid4(), LOAN, uuid4(), 100, "KES"),
        "funding": FundingRound(
            loan_id=LOAN,
            borrower_wallet_id=uuid4(),
            currency="KES",
            net_minor=95,
            origination_fee_minor=3,
            reserve_contribution_minor=2,
        ),
        "repayment": Payment(
            repayment_id=uuid4(),
            awaiting=uuid4(),
            transaction=PostTransaction(
                transaction_id=uuid4(),
                idempotency_key="k",
                kind="loan.repayment",
                entries=[Transfer(id=uuid4(), debit_account="wallet:a", credit_account="b", amount_minor=1, currency="KES")],
            ),
        ),
    }[definition.kind]
    return definition.begin(uuid4(), data, NOW)


@pytest.mark.parametrize("definition", [INVESTMENT, FUNDING, REPAYMENT], ids=lambda definition: definition.kind)
def test_every_pair_is_defined(definition: Definition[Any]) -> None:
    assert check_total(definition) == []


PATHS: list[tuple[Definition[Any], list[Any], str]] = [
    (INVESTMENT, [posted()], "held"),
    (INVESTMENT, [rejected()], "rejected"),
    (INVESTMENT, [DEADLINE_PASSED, posted(), posted()], "held"),
    (INVESTMENT, [posted(), CANCELLED, EXPIRED], "held"),
    (INVESTMENT, [EXPIRED, posted(), posted()], "released"),
    (INVESTMENT, [CANCELLED, DEADLINE_PASSED, posted(), rejected()], "released"),
    (INVESTMENT, [CANCELLED, rejected(), posted()], "rejected"),
    (FUNDING, [FUNDED, posted(), CANCELLED, rejected()], "paid_out"),
    (FUNDING, [FUNDED, CANCELLED, DEADLINE_PASSED, posted()], "paid_out"),
    (FUNDING, [FUNDED, rejected(), posted()], "released"),
    (FUNDING, [CANCELLED, FUNDED, posted()], "released"),
    (FUNDING, [DEADLINE_PASSED, rejected(), DEADLINE_PASSED, posted(), FUNDED], "released"),
    (REPAYMENT, [DEADLINE_PASSED, posted(), rejected()], "completed"),
    (REPAYMENT, [rejected(), posted()], "rejected"),
]


@pytest.mark.parametrize(("definition", "causes", "end"), PATHS)
def test_the_ways_through(definition: Definition[Any], causes: list[Any], end: str) -> None:
    saga = begun(definition)
    for cause in causes:
        saga, _ = definition.advance(saga, cause, NOW)
    assert saga.state.value == end
    assert saga.deadline_at is None


def test_a_hold_that_comes_after_the_loan_closed_is_given_back() -> None:
    saga = begun(INVESTMENT)
    saga, sent = INVESTMENT.advance(saga, EXPIRED, NOW)
    assert (saga.state, list(sent)) == (investment.State.ABANDONED, [])
    saga, sent = INVESTMENT.advance(saga, posted(), NOW)
    assert saga.state is investment.State.RELEASING
    assert [entry for message in sent for entry in message.entries] == [VoidHold(hold_id=saga.data.investment_id)]
    assert saga.data.is_answered_by(posted(sent[0].transaction_id))
    assert not saga.data.is_answered_by(posted())


def test_paying_out_is_one_transaction_that_leaves_nothing_over() -> None:
    saga, sent = FUNDING.advance(begun(FUNDING), FUNDED, NOW)
    (transaction,) = sent
    holds, *transfers = transaction.entries
    assert isinstance(holds, PostHoldGroup)
    assert sum(transfer.amount_minor for transfer in transfers) == 100
    assert {transfer.debit_account for transfer in transfers} == {f"loan:{LOAN}:funding"}
    assert saga.data.awaiting == transaction.transaction_id
    again, resent = FUNDING.advance(saga, DEADLINE_PASSED, NOW + timedelta(minutes=2))
    assert resent == sent
    assert again.deadline_at == NOW + timedelta(minutes=4)  # asked again once: twice as long until the next time


def test_a_refused_disbursement_is_compensated() -> None:
    saga, _ = FUNDING.advance(begun(FUNDING), FUNDED, NOW)
    saga, sent = FUNDING.advance(saga, rejected(), NOW)
    assert saga.state is funding.State.RELEASING
    assert [type(entry) for message in sent for entry in message.entries] == [VoidHoldGroup]
    assert saga.data.awaiting == sent[0].transaction_id


def test_a_repayment_is_sent_again_the_same() -> None:
    saga = begun(REPAYMENT)
    same, sent = REPAYMENT.advance(saga, DEADLINE_PASSED, NOW)
    assert same.state is repayment.State.POSTING
    assert list(sent) == [saga.data.transaction]
