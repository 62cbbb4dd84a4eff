"""Bring a payout forward: order it from the provider once, and else ask what has become of it.

That it is about to be ordered is committed before the call. Whoever comes later, after a crash or a lost answer, finds
that and asks instead, by our own reference. Only when the provider knows no such reference, and the call that might
still bring it must be over, is it ordered again, under the same reference.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from services.payments.commands.advance_withdrawal import advance_withdrawal
from services.payments.commands.request_withdrawal import destination_place
from services.payments.context import Context
from services.payments.domain.withdrawal import Withdrawal
from services.payments.providers.base import Answer, Failure, NeverSeen, PayoutOrder, Settled, Success
from services.payments.sagas.withdrawal import WITHDRAWAL, PayoutConfirmed, PayoutRefused, PayoutStarted, WithdrawalState
from services.payments.store.unit_of_work import PaymentsWork
from shared.contracts.payments.provider_commands import RunPayout
from shared.messaging.consumer import Delivery

_log = logging.getLogger(__name__)
_MARGIN = timedelta(seconds=2)
_TAKEN_AT_ITS_WORD = {
    WithdrawalState.POSTING: Success,
    WithdrawalState.COMPLETED: Success,
    WithdrawalState.RELEASING: Failure,
    WithdrawalState.FAILED: Failure,
}
"""What the provider has said when a withdrawal is in such a state."""


@dataclass(frozen=True)
class _Task:
    withdrawal: Withdrawal
    order: bool  # order the payout, or ask about it
    settled: bool = False  # it was taken at its word before: only asked whether it still says so


async def run_payout(context: Context, delivery: Delivery[RunPayout]) -> None:
    """Order or ask, and take the step that follows from a definite answer."""
    task = await _take_task(context, delivery.message.withdrawal_id)
    if task is None:
        return
    operation, answer = "payout", await (_order(context, task.withdrawal) if task.order else _ask(context, task.withdrawal))
    if not task.order:
        operation = "payout_sync"
        if isinstance(answer, NeverSeen) and not task.settled and await _may_order_again(context, task.withdrawal.id):
            operation, answer = "payout", await _order(context, task.withdrawal)
    async with context.unit_of_work(delivery) as work:
        withdrawal = task.withdrawal
        await work.provider_records.add_answer(withdrawal.provider, operation, withdrawal.reference, answer, work.now)
        await _record(work, withdrawal, answer)


async def _take_task(context: Context, withdrawal_id: UUID) -> _Task | None:
    async with context.unit_of_work() as work:
        saga = await work.sagas.load(WITHDRAWAL, withdrawal_id)
        if saga is not None and saga.state in _TAKEN_AT_ITS_WORD:
            return await _task_after_the_end(work, withdrawal_id)
        if saga is None or saga.state not in (WithdrawalState.HELD, WithdrawalState.PAYING):
            return None
        order = await advance_withdrawal(work, saga, PayoutStarted(), payout_called_at=work.now)
        withdrawal = await work.withdrawals.find(withdrawal_id)
        assert withdrawal is not None  # noqa: S101 added with its saga
        return _Task(withdrawal, order)


async def _task_after_the_end(work: PaymentsWork, withdrawal_id: UUID) -> _Task | None:
    """Somebody has a reason to look again, such as a webhook of a payout that came back, or went out after all."""
    withdrawal = await work.withdrawals.find(withdrawal_id)
    if withdrawal is None or withdrawal.payout_called_at is None:
        return None
    return _Task(withdrawal, order=False, settled=True)


async def _may_order_again(context: Context, withdrawal_id: UUID) -> bool:
    """Whether no earlier call can still be on its way; if so, this one is noted before it is made."""
    longest_call = timedelta(seconds=context.settings.provider_timeout_seconds) + _MARGIN
    async with context.unit_of_work() as work:
        saga = await work.sagas.load(WITHDRAWAL, withdrawal_id)
        withdrawal = await work.withdrawals.find(withdrawal_id)
        if saga is None or withdrawal is None or saga.state is not WithdrawalState.PAYING:
            return False
        if withdrawal.payout_called_at is not None and withdrawal.payout_called_at + longest_call > work.now:
            return False
        await work.withdrawals.change(withdrawal_id, payout_called_at=work.now)
        return True


async def _order(context: Context, withdrawal: Withdrawal) -> Answer[Settled]:
    sealed = context.vault.decrypt_text(withdrawal.destination_encrypted, aad=destination_place(withdrawal.id))
    destination: Mapping[str, str] = json.loads(sealed)
    order = PayoutOrder(
        reference=withdrawal.reference,
        amount_minor=withdrawal.amount_minor,
        currency=withdrawal.currency,
        description="Withdrawal from your wallet",
        destination=destination,
    )
    return await context.ask(withdrawal.provider, lambda provider: provider.payout(order))


async def _ask(context: Context, withdrawal: Withdrawal) -> Answer[Settled]:
    return await context.ask(withdrawal.provider, lambda provider: provider.payout_sync(withdrawal.reference))


async def _record(work: PaymentsWork, withdrawal: Withdrawal, answer: Answer[Settled]) -> None:
    saga = await work.sagas.load(WITHDRAWAL, withdrawal.id)
    assert saga is not None  # noqa: S101 added with the withdrawal
    said = _TAKEN_AT_ITS_WORD.get(WithdrawalState(saga.state))
    if said is not None and isinstance(answer, Success | Failure) and not isinstance(answer, said):
        # The money is where it was put when it said the other thing; reconciliation shows it, too.
        _log.error(
            "a provider contradicts itself about a withdrawal; an operator must look",
            extra={"withdrawal_id": str(withdrawal.id), "state": saga.state.value, "answer": type(answer).__name__},
        )
        return
    if isinstance(answer, Failure):
        await advance_withdrawal(work, saga, PayoutRefused(code=answer.code, reason=answer.reason))
    elif isinstance(answer, Success):
        paid = answer.value
        if withdrawal.matches(reference=paid.reference, amount_minor=paid.amount_minor, currency=paid.currency):
            await advance_withdrawal(work, saga, PayoutConfirmed(), provider_payout_id=paid.provider_id)
        else:
            # Something was paid, but not this: the money stays held until an operator has looked.
            _log.error("a payout is not what was ordered", extra={"withdrawal_id": str(withdrawal.id)})
