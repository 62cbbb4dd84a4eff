"""One step of a withdrawal: its saga, its row and what it sends change together."""

import logging
from typing import Any
from uuid import UUID

from services.payments.domain.withdrawal import WithdrawalStatus
from services.payments.sagas.withdrawal import WITHDRAWAL, WithdrawalData, WithdrawalState, awaited_transaction
from services.payments.store.unit_of_work import PaymentsWork
from shared.contracts.wallet_ledger.transaction_events import TransactionPosted, TransactionRejected
from shared.sagas import Saga
from shared.sagas.definition import Cause

_log = logging.getLogger(__name__)

_STATUS = {
    WithdrawalState.HOLDING: WithdrawalStatus.PENDING,
    WithdrawalState.HELD: WithdrawalStatus.PENDING,
    WithdrawalState.RECALLING: WithdrawalStatus.PENDING,
    WithdrawalState.CANCELLING: WithdrawalStatus.PENDING,
    WithdrawalState.PAYING: WithdrawalStatus.PROCESSING,
    WithdrawalState.POSTING: WithdrawalStatus.PROCESSING,
    WithdrawalState.RELEASING: WithdrawalStatus.PROCESSING,
    WithdrawalState.COMPLETED: WithdrawalStatus.COMPLETED,
    WithdrawalState.FAILED: WithdrawalStatus.FAILED,
    WithdrawalState.CANCELLED: WithdrawalStatus.CANCELLED,
}
_SETTLING = (WithdrawalState.POSTING, WithdrawalState.RELEASING, WithdrawalState.CANCELLING)


async def advance_withdrawal(work: PaymentsWork, saga: Saga[WithdrawalData], cause: Cause, **also: Any) -> bool:
    """Take the step that `cause` sets off, and write the columns in `also` with it; false when it changes nothing.

    `saga` was loaded, and so locked, in this unit of work.
    """
    following, messages = WITHDRAWAL.advance(saga, cause, work.now)
    if following is saga:
        return False
    if isinstance(cause, TransactionRejected) and saga.state in _SETTLING:
        _log.error(
            "the ledger refuses to settle the hold of a withdrawal; an operator must look",
            extra={"withdrawal_id": str(saga.id), "state": saga.state.value, "code": cause.code},
        )
    await work.sagas.save(following)
    over = following.state in WITHDRAWAL.final
    # While the money is being put back, the reason is known but it has not failed yet.
    shown = following.data if following.state is WithdrawalState.FAILED else None
    await work.withdrawals.change(
        saga.id,
        status=_STATUS[WithdrawalState(following.state)].value,
        failure_code=shown.failure_code if shown else None,
        failure_reason=shown.failure_reason if shown else None,
        settled_at=work.now if over else None,
        **also,
    )
    for message in messages:
        work.outbox.add(message, aggregate_id=saga.id)
    return True


async def settle_withdrawal(work: PaymentsWork, withdrawal_id: UUID, outcome: TransactionPosted | TransactionRejected) -> None:
    """Take what the ledger said, if it is what the withdrawal waits for."""
    saga = await work.sagas.load(WITHDRAWAL, withdrawal_id)
    if saga is not None and outcome.transaction_id == awaited_transaction(saga.state, saga.data):
        await advance_withdrawal(work, saga, outcome)
