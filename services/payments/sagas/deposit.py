"""The deposit saga: somebody pays at the provider, the ledger credits the wallet, and only then it has succeeded.

pending ── paid ──> crediting ── posted ──> succeeded
   │ └─ refused, or not what was ordered ──> failed
   └─ nobody paid in time ──> expired ── paid after all ──> crediting
crediting ── the wallet cannot take it ──> parking (into suspense, for an operator to return) ──> failed
"""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from shared.contracts.payments.deposit_events import DepositExpired, DepositFailed, DepositSucceeded
from shared.contracts.wallet_ledger.transaction_commands import PostTransaction, Transfer
from shared.contracts.wallet_ledger.transaction_events import TransactionPosted, TransactionRejected
from shared.ids import derived_id
from shared.messaging.envelope import Event, Message
from shared.sagas import DEADLINE_PASSED, Definition, SagaData, Step, ignored

MISMATCH_CODE = "payment_mismatch"
NOT_CREDITED_CODE = "credit_rejected"
# The provider stops taking payments after 24 hours; what it took in the last second may need some minutes to reach us.
_PAYMENT_DEADLINE = timedelta(hours=24, minutes=5)
_LEDGER_DEADLINE = timedelta(seconds=60)


class DepositState(StrEnum):
    """What the saga waits for."""

    PENDING = "pending"
    CREDITING = "crediting"
    PARKING = "parking"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"


class DepositData(SagaData):
    """What is needed to credit, and to tell how it ended."""

    deposit_id: UUID
    user_id: UUID
    wallet_id: UUID
    amount_minor: int
    currency: str
    provider: str
    failure_code: str | None = None
    failure_reason: str | None = None


class PaymentConfirmed(Event):
    """Asked, the provider said that exactly what was ordered has been paid. Never leaves this service."""

    type: ClassVar[str] = "payments.deposit.payment_confirmed"


class PaymentRefused(Event):
    """Asked, the provider said that nothing was paid and nothing will be. Never leaves this service."""

    type: ClassVar[str] = "payments.deposit.payment_refused"

    code: str
    reason: str


class PaymentMismatched(Event):
    """Asked, the provider said that something else was paid than ordered. Never leaves this service."""

    type: ClassVar[str] = "payments.deposit.payment_mismatched"


def credit_id(deposit_id: UUID) -> UUID:
    """The ledger transaction that puts the money into the wallet."""
    return derived_id("deposit", deposit_id, "credit")


def parking_id(deposit_id: UUID) -> UUID:
    """The ledger transaction that books money whose wallet cannot take it."""
    return derived_id("deposit", deposit_id, "park")


def awaited_transaction(state: StrEnum, deposit_id: UUID) -> UUID | None:
    """The ledger transaction whose outcome a deposit in `state` waits for."""
    if state is DepositState.CREDITING:
        return credit_id(deposit_id)
    return parking_id(deposit_id) if state is DepositState.PARKING else None


def _post(deposit: DepositData, step: str, transaction_id: UUID, credit_account: str) -> Sequence[Message]:
    return [
        PostTransaction(
            transaction_id=transaction_id,
            idempotency_key=f"deposit:{deposit.deposit_id}:{step}",
            kind="deposit",
            reference=f"deposit:{deposit.deposit_id}",
            description=f"Deposit through {deposit.provider}",
            entries=[
                Transfer(
                    id=derived_id(transaction_id, "transfer"),
                    debit_account=f"provider:{deposit.provider}:{deposit.currency}",
                    credit_account=credit_account,
                    amount_minor=deposit.amount_minor,
                    currency=deposit.currency,
                )
            ],
        )
    ]


def _credit(deposit: DepositData, _: object) -> Sequence[Message]:
    return _post(deposit, "credit", credit_id(deposit.deposit_id), f"wallet:{deposit.wallet_id}")


def _park(deposit: DepositData, _: object) -> Sequence[Message]:
    return _post(deposit, "park", parking_id(deposit.deposit_id), f"suspense:{deposit.currency}")


def _facts(deposit: DepositData) -> dict[str, object]:
    return deposit.model_dump(exclude={"failure_code", "failure_reason"})


def _tell_succeeded(deposit: DepositData, posted: TransactionPosted) -> Sequence[Message]:
    return [DepositSucceeded.model_validate({**_facts(deposit), "succeeded_at": posted.booked_at})]


def _tell_failed(deposit: DepositData, _: object) -> Sequence[Message]:
    return [DepositFailed.model_validate({**_facts(deposit), "reason": deposit.failure_reason})]


def _tell_expired(deposit: DepositData, _: object) -> Sequence[Message]:
    return [DepositExpired.model_validate(_facts(deposit))]


def _failed(deposit: DepositData, code: str, reason: str) -> DepositData:
    return deposit.model_copy(update={"failure_code": code, "failure_reason": reason})


def _remember_refusal(deposit: DepositData, refused: PaymentRefused) -> DepositData:
    return _failed(deposit, refused.code, refused.reason)


def _remember_mismatch(deposit: DepositData, _: object) -> DepositData:
    return _failed(deposit, MISMATCH_CODE, "The payment differs from what was ordered. Support is looking into it.")


def _remember_rejection(deposit: DepositData, _: object) -> DepositData:
    return _failed(deposit, NOT_CREDITED_CODE, "The payment arrived, but the wallet cannot take it. Support will return it.")


_FROM_PROVIDER = (PaymentConfirmed, PaymentRefused, PaymentMismatched)
_FROM_LEDGER = (TransactionPosted, TransactionRejected)
_ANYTHING = (*_FROM_PROVIDER, *_FROM_LEDGER, DEADLINE_PASSED)
S = DepositState

DEPOSIT = Definition(
    kind="deposit",
    data=DepositData,
    start=S.PENDING,
    final={S.SUCCEEDED, S.FAILED, S.EXPIRED},
    triggers=set(_ANYTHING),
    deadlines={S.PENDING: _PAYMENT_DEADLINE, S.CREDITING: _LEDGER_DEADLINE, S.PARKING: _LEDGER_DEADLINE},
    table={
        (S.PENDING, PaymentConfirmed): Step(S.CREDITING, send=_credit),
        (S.PENDING, PaymentRefused): Step(S.FAILED, remember=_remember_refusal, send=_tell_failed),
        (S.PENDING, PaymentMismatched): Step(S.FAILED, remember=_remember_mismatch, send=_tell_failed),
        # Given only when the provider, asked once more, had nothing: see commands/sync_deposit.py.
        (S.PENDING, DEADLINE_PASSED): Step(S.EXPIRED, send=_tell_expired),
        **ignored(S.PENDING, *_FROM_LEDGER),  # nothing was asked of the ledger yet
        (S.CREDITING, TransactionPosted): Step(S.SUCCEEDED, send=_tell_succeeded),
        (S.CREDITING, TransactionRejected): Step(S.PARKING, remember=_remember_rejection, send=_park),
        (S.CREDITING, DEADLINE_PASSED): Step(S.CREDITING, send=_credit),  # the ledger books a key once
        **ignored(S.CREDITING, *_FROM_PROVIDER),  # it has said so before; a change of mind is reconciliation's
        (S.PARKING, TransactionPosted): Step(S.FAILED, send=_tell_failed),
        (S.PARKING, TransactionRejected): Step(S.FAILED, send=_tell_failed),  # unbooked: reconciliation finds it
        (S.PARKING, DEADLINE_PASSED): Step(S.PARKING, send=_park),
        **ignored(S.PARKING, *_FROM_PROVIDER),
        (S.EXPIRED, PaymentConfirmed): Step(S.CREDITING, send=_credit),  # paid at the last moment: it is their money
        (S.EXPIRED, PaymentMismatched): Step(S.FAILED, remember=_remember_mismatch, send=_tell_failed),
        **ignored(S.EXPIRED, PaymentRefused, *_FROM_LEDGER, DEADLINE_PASSED),
        **ignored(S.SUCCEEDED, *_ANYTHING),
        **ignored(S.FAILED, *_ANYTHING),
    },
)
