"""Whatever ends something that counts on a wallet, the ledger is told: asked of every final state of every saga of payments."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from services.payments.sagas import deposit as deposits
from services.payments.sagas import withdrawal as withdrawals
from services.payments.sagas.deposit import DEPOSIT, DepositData
from services.payments.sagas.withdrawal import WITHDRAWAL, WithdrawalData
from services.wallet_ledger.commands import follow_wallet_uses as uses
from services.wallet_ledger.consumers import CONSUMERS
from shared.contracts.wallet_ledger.transaction_events import TransactionPosted, TransactionRejected
from shared.sagas import DEADLINE_PASSED, Definition, Step

ID = UUID(int=1)
COMMON = {"user_id": UUID(int=2), "wallet_id": UUID(int=3), "amount_minor": 5, "currency": "KES", "provider": "test"}
ANSWER = {"transaction_id": ID, "idempotency_key": "x", "requested_by": "payments", "kind": "x"}
CAUSES: dict[Any, Any] = {
    DEADLINE_PASSED: DEADLINE_PASSED,
    TransactionPosted: TransactionPosted.model_validate({**ANSWER, "booked_at": datetime(2026, 1, 1, tzinfo=UTC)}),
    TransactionRejected: TransactionRejected.model_validate({**ANSWER, "code": "no", "detail": "No."}),
    deposits.PaymentRefused: deposits.PaymentRefused(code="no", reason="No."),
    deposits.PaymentMismatched: deposits.PaymentMismatched(),
    withdrawals.PayoutRefused: withdrawals.PayoutRefused(code="no", reason="No."),
    withdrawals.CancelRequested: withdrawals.CancelRequested(),
}
DATA: dict[str, Any] = {
    "deposit": DepositData(deposit_id=ID, failure_reason="No.", **COMMON),
    "withdrawal": WithdrawalData(withdrawal_id=ID, failure_code="no", failure_reason="No.", **COMMON),
}
ENDINGS = [
    pytest.param(definition, trigger, step, id=f"{definition.kind} {state} to {step.to}")
    for definition in (DEPOSIT, WITHDRAWAL)
    for (state, trigger), step in definition.table.items()
    if isinstance(step, Step) and step.to in definition.final
]


@pytest.mark.parametrize(("definition", "trigger", "step"), ENDINGS)
def test_every_step_into_an_end_tells_the_ledger(definition: Definition[Any], trigger: Any, step: Step[Any]) -> None:
    data, cause = DATA[definition.kind], CAUSES[trigger]
    told = step.send(step.remember(data, cause), cause)
    forgets = [message for message in told if CONSUMERS.get(type(message)) in (uses.forget_deposit, uses.forget_withdrawal)]
    assert len(forgets) == 1, told


@pytest.mark.parametrize("definition", [DEPOSIT, WITHDRAWAL])
def test_no_end_is_without_a_step(definition: Definition[Any]) -> None:
    reached = {param.values[2].to for param in ENDINGS if param.values[0] is definition}  # type: ignore[union-attr]
    assert reached == set(definition.final)
