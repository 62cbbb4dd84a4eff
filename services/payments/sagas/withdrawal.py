"""The withdrawal saga: hold the money, have the provider pay, then book the hold or let it go.

    holding ── held ──> held ── a worker takes it ──> paying ── paid ──> posting ──> completed
       │                  │                              └─ definitely not paid ──> releasing ──> failed
       │                  └─ cancelled ──> cancelling ──> cancelled
       ├─ the ledger refuses (too little money) ──> failed
       └─ cancelled before the hold is known ──> recalling ──> cancelling or cancelled

From `paying` on there is no way back but the provider's definite no. While nobody knows, the money stays held.
"""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from shared.contracts.payments.provider_commands import RunPayout
from shared.contracts.payments.withdrawal_events import WithdrawalCancelled, WithdrawalCompleted, WithdrawalFailed
from shared.contracts.wallet_ledger.transaction_commands import Entry, Hold, PostHold, PostTransaction, VoidHold
from shared.contracts.wallet_ledger.transaction_events import TransactionPosted, TransactionRejected
from shared.ids import derived_id
from shared.messaging.envelope import Event, Message
from shared.sagas import DEADLINE_PASSED, Definition, SagaData, Step, ignored

_LEDGER_DEADLINE = timedelta(seconds=60)
_PAYOUT_DEADLINE = timedelta(seconds=15)
_LONGEST_PAYOUT_WAIT = timedelta(minutes=5)
# A refusal to book or release a hold needs an operator; asking again now and then does no harm.
_SETTLING_DEADLINE = timedelta(minutes=5)


class WithdrawalState(StrEnum):
    """What the saga waits for."""

    HOLDING = "holding"
    HELD = "held"
    PAYING = "paying"
    POSTING = "posting"
    RELEASING = "releasing"
    RECALLING = "recalling"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class WithdrawalData(SagaData):
    """What is needed to move the money, and to tell how it ended. `attempt` numbers the tries to settle the hold."""

    withdrawal_id: UUID
    user_id: UUID
    wallet_id: UUID
    amount_minor: int
    currency: str
    provider: str
    attempt: int = 1
    failure_code: str | None = None
    failure_reason: str | None = None


class PayoutStarted(Event):
    """A worker is about to ask the provider to pay. Never leaves this service."""

    type: ClassVar[str] = "payments.withdrawal.payout_started"


class PayoutConfirmed(Event):
    """The provider has paid what was ordered. Never leaves this service."""

    type: ClassVar[str] = "payments.withdrawal.payout_confirmed"


class PayoutRefused(Event):
    """The provider has not paid and will not. Never leaves this service."""

    type: ClassVar[str] = "payments.withdrawal.payout_refused"

    code: str
    reason: str


class CancelRequested(Event):
    """The owner wants the withdrawal back. Never leaves this service."""

    type: ClassVar[str] = "payments.withdrawal.cancel_requested"


def transaction_id(data: WithdrawalData, step: str) -> UUID:
    """The ledger transaction of a step: `hold`, and for the present attempt `post` or `void`."""
    return derived_id("withdrawal", data.withdrawal_id, step, *(() if step == "hold" else (data.attempt,)))


def awaited_transaction(state: StrEnum, data: WithdrawalData) -> UUID | None:
    """The ledger transaction whose outcome a withdrawal in `state` waits for."""
    step = {
        WithdrawalState.HOLDING: "hold",
        WithdrawalState.RECALLING: "hold",
        WithdrawalState.POSTING: "post",
        WithdrawalState.RELEASING: "void",
        WithdrawalState.CANCELLING: "void",
    }.get(WithdrawalState(state))
    return transaction_id(data, step) if step is not None else None


def _post(data: WithdrawalData, step: str, entry: Entry) -> Sequence[Message]:
    numbered = "" if step == "hold" else f":{data.attempt}"
    return [
        PostTransaction(
            transaction_id=transaction_id(data, step),
            idempotency_key=f"withdrawal:{data.withdrawal_id}:{step}{numbered}",
            kind="withdrawal",
            reference=f"withdrawal:{data.withdrawal_id}",
            description=f"Withdrawal through {data.provider}",
            entries=[entry],
        )
    ]


def _hold_id(data: WithdrawalData) -> UUID:
    return derived_id("withdrawal", data.withdrawal_id, "held money")


def hold_money(data: WithdrawalData, _: object = None) -> Sequence[Message]:
    """Ask the ledger to reserve the money for the provider."""
    hold = Hold(
        id=_hold_id(data),
        debit_account=f"wallet:{data.wallet_id}",
        credit_account=f"provider:{data.provider}:{data.currency}",
        amount_minor=data.amount_minor,
        currency=data.currency,
    )
    return _post(data, "hold", hold)


def _book(data: WithdrawalData, _: object) -> Sequence[Message]:
    return _post(data, "post", PostHold(hold_id=_hold_id(data)))


def _release(data: WithdrawalData, _: object) -> Sequence[Message]:
    return _post(data, "void", VoidHold(hold_id=_hold_id(data)))


def _pay(data: WithdrawalData, _: object) -> Sequence[Message]:
    return [RunPayout(withdrawal_id=data.withdrawal_id)]


def _facts(data: WithdrawalData) -> dict[str, object]:
    return data.model_dump(exclude={"attempt", "failure_code", "failure_reason"})


def _tell_completed(data: WithdrawalData, posted: TransactionPosted) -> Sequence[Message]:
    return [WithdrawalCompleted.model_validate({**_facts(data), "completed_at": posted.booked_at})]


def _tell_failed(data: WithdrawalData, _: object) -> Sequence[Message]:
    failure = {"code": data.failure_code, "reason": data.failure_reason}
    return [WithdrawalFailed.model_validate({**_facts(data), **failure})]


def _tell_cancelled(data: WithdrawalData, _: object) -> Sequence[Message]:
    return [WithdrawalCancelled.model_validate(_facts(data))]


def _remember_rejection(data: WithdrawalData, rejected: TransactionRejected) -> WithdrawalData:
    reason = "There is not enough money in the wallet." if rejected.code == "insufficient_funds" else rejected.detail
    return data.model_copy(update={"failure_code": rejected.code, "failure_reason": reason})


def _remember_refusal(data: WithdrawalData, refused: PayoutRefused) -> WithdrawalData:
    return data.model_copy(update={"failure_code": refused.code, "failure_reason": refused.reason})


def _next_attempt(data: WithdrawalData, _: object) -> WithdrawalData:
    return data.model_copy(update={"attempt": data.attempt + 1})


_FROM_LEDGER = (TransactionPosted, TransactionRejected)
_FROM_PROVIDER = (PayoutConfirmed, PayoutRefused)
_ANYTHING = (*_FROM_LEDGER, *_FROM_PROVIDER, PayoutStarted, CancelRequested, DEADLINE_PASSED)
S = WithdrawalState

WITHDRAWAL = Definition(
    kind="withdrawal",
    data=WithdrawalData,
    start=S.HOLDING,
    final={S.COMPLETED, S.FAILED, S.CANCELLED},
    triggers=set(_ANYTHING),
    deadlines={
        S.HOLDING: _LEDGER_DEADLINE,
        S.HELD: _LEDGER_DEADLINE,
        S.PAYING: _PAYOUT_DEADLINE,
        S.POSTING: _SETTLING_DEADLINE,
        S.RELEASING: _SETTLING_DEADLINE,
        S.RECALLING: _LEDGER_DEADLINE,
        S.CANCELLING: _SETTLING_DEADLINE,
    },
    # What the provider does may take hours, and people wait to hear of it: it is asked every few minutes all the time.
    longest_waits={S.HELD: _LONGEST_PAYOUT_WAIT, S.PAYING: _LONGEST_PAYOUT_WAIT},
    table={
        (S.HOLDING, TransactionPosted): Step(S.HELD, send=_pay),
        (S.HOLDING, TransactionRejected): Step(S.FAILED, remember=_remember_rejection, send=_tell_failed),
        (S.HOLDING, CancelRequested): Step(S.RECALLING),
        (S.HOLDING, DEADLINE_PASSED): Step(S.HOLDING, send=hold_money),  # the ledger books a key once
        **ignored(S.HOLDING, PayoutStarted, *_FROM_PROVIDER),
        (S.HELD, PayoutStarted): Step(S.PAYING),
        (S.HELD, CancelRequested): Step(S.CANCELLING, send=_release),
        (S.HELD, DEADLINE_PASSED): Step(S.HELD, send=_pay),
        **ignored(S.HELD, *_FROM_LEDGER, *_FROM_PROVIDER),
        (S.PAYING, PayoutConfirmed): Step(S.POSTING, send=_book),
        (S.PAYING, PayoutRefused): Step(S.RELEASING, remember=_remember_refusal, send=_release),
        (S.PAYING, DEADLINE_PASSED): Step(S.PAYING, send=_pay),  # asks what has become of it; never a second payout
        **ignored(S.PAYING, PayoutStarted, CancelRequested, *_FROM_LEDGER),
        (S.POSTING, TransactionPosted): Step(S.COMPLETED, send=_tell_completed),
        (S.POSTING, TransactionRejected): Step(S.POSTING, remember=_next_attempt),
        (S.POSTING, DEADLINE_PASSED): Step(S.POSTING, send=_book),
        **ignored(S.POSTING, PayoutStarted, CancelRequested, *_FROM_PROVIDER),
        (S.RELEASING, TransactionPosted): Step(S.FAILED, send=_tell_failed),
        (S.RELEASING, TransactionRejected): Step(S.RELEASING, remember=_next_attempt),
        (S.RELEASING, DEADLINE_PASSED): Step(S.RELEASING, send=_release),
        **ignored(S.RELEASING, PayoutStarted, CancelRequested, *_FROM_PROVIDER),
        (S.RECALLING, TransactionPosted): Step(S.CANCELLING, send=_release),
        (S.RECALLING, TransactionRejected): Step(S.CANCELLED, send=_tell_cancelled),  # nothing was held
        (S.RECALLING, DEADLINE_PASSED): Step(S.RECALLING, send=hold_money),  # the outcome must be known before it ends
        **ignored(S.RECALLING, PayoutStarted, CancelRequested, *_FROM_PROVIDER),
        (S.CANCELLING, TransactionPosted): Step(S.CANCELLED, send=_tell_cancelled),
        (S.CANCELLING, TransactionRejected): Step(S.CANCELLING, remember=_next_attempt),
        (S.CANCELLING, DEADLINE_PASSED): Step(S.CANCELLING, send=_release),
        **ignored(S.CANCELLING, PayoutStarted, CancelRequested, *_FROM_PROVIDER),
        **ignored(S.COMPLETED, *_ANYTHING),
        **ignored(S.FAILED, *_ANYTHING),
        **ignored(S.CANCELLED, *_ANYTHING),
    },
)
