"""One step of a deposit: its saga, its row and what it sends change together."""

import logging
from uuid import UUID

from services.payments.domain.deposit import DepositStatus
from services.payments.sagas.deposit import (
    DEPOSIT,
    DepositData,
    DepositState,
    PaymentConfirmed,
    PaymentMismatched,
    PaymentRefused,
    awaited_transaction,
)
from services.payments.store.unit_of_work import PaymentsWork
from shared.contracts.wallet_ledger.transaction_events import TransactionPosted, TransactionRejected
from shared.sagas import Saga
from shared.sagas.definition import Cause

_log = logging.getLogger(__name__)

_STATUS = {
    DepositState.PENDING: DepositStatus.PENDING,
    DepositState.CREDITING: DepositStatus.CREDITING,
    DepositState.PARKING: DepositStatus.CREDITING,
    DepositState.SUCCEEDED: DepositStatus.SUCCEEDED,
    DepositState.FAILED: DepositStatus.FAILED,
    DepositState.EXPIRED: DepositStatus.EXPIRED,
}
# The provider says one thing after it was taken at its word for another: nothing moves, an operator must look.
_CONTRADICTIONS = {
    (DepositState.FAILED, PaymentConfirmed),
    (DepositState.FAILED, PaymentMismatched),
    (DepositState.CREDITING, PaymentRefused),
    (DepositState.SUCCEEDED, PaymentRefused),
}


async def advance_deposit(work: PaymentsWork, saga: Saga[DepositData], cause: Cause) -> None:
    """Take the step that `cause` sets off. `saga` was loaded, and so locked, in this unit of work."""
    state = DepositState(saga.state)
    following, messages = DEPOSIT.advance(saga, cause, work.now)
    if following is saga:
        if (state, type(cause)) in _CONTRADICTIONS:
            _alert("a provider contradicts itself about a deposit", saga.id, state, cause)
        return
    if isinstance(cause, PaymentMismatched | TransactionRejected):
        _alert("a deposit needs an operator", saga.id, state, cause)
    await work.sagas.save(following)
    status = _STATUS[DepositState(following.state)]
    await work.deposits.change(
        saga.id,
        status=status.value,
        failure_code=following.data.failure_code,
        failure_reason=following.data.failure_reason,
        next_sync_at=None,
        settled_at=work.now if following.state in DEPOSIT.final else None,
    )
    for message in messages:
        work.outbox.add(message, aggregate_id=saga.id)


async def settle_deposit(work: PaymentsWork, deposit_id: UUID, outcome: TransactionPosted | TransactionRejected) -> None:
    """Take what the ledger said, if it is what the deposit waits for."""
    saga = await work.sagas.load(DEPOSIT, deposit_id)
    if saga is not None and outcome.transaction_id == awaited_transaction(saga.state, deposit_id):
        await advance_deposit(work, saga, outcome)


def _alert(what: str, deposit_id: UUID, state: DepositState, cause: Cause) -> None:
    _log.error(what, extra={"deposit_id": str(deposit_id), "state": state.value, "cause": type(cause).__name__})
