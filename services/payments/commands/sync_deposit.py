"""Ask the provider what has become of a deposit, and believe it only if it is what was ordered."""

import logging
from functools import partial
from uuid import UUID

from services.payments.commands.advance_deposit import advance_deposit
from services.payments.commands.each import for_each
from services.payments.context import Context
from services.payments.domain.deposit import Deposit
from services.payments.providers.base import PAYMENT_EXPIRED, Answer, Failure, NeverSeen, Settled, StillPending, Success
from services.payments.sagas.deposit import DEPOSIT, DepositState, PaymentConfirmed, PaymentMismatched, PaymentRefused
from services.payments.store.deposits import DepositStore
from services.payments.store.unit_of_work import PaymentsWork
from shared.contracts.payments.provider_commands import SyncDeposit
from shared.messaging.consumer import Delivery
from shared.sagas import DEADLINE_PASSED
from shared.sagas.definition import Cause

_log = logging.getLogger(__name__)
_BATCH = 50
_NOT_PAID = (StillPending, NeverSeen)
"""The provider was reached and has no money for this deposit now."""


async def sync_deposit_on_request(context: Context, delivery: Delivery[SyncDeposit]) -> None:
    """A webhook gave reason to ask."""
    await sync_deposit(context, delivery.message.deposit_id, delivery)


async def sync_due_deposits(context: Context) -> None:
    """Ask about deposits that nobody told us of for some time: webhooks get lost. This also lets a deposit expire."""
    async with context.read() as connection:
        due = await DepositStore(connection).due_for_sync(context.clock.now(), _BATCH)
    await for_each(due, partial(sync_deposit, context))


async def sync_deposit(context: Context, deposit_id: UUID, delivery: Delivery[SyncDeposit] | None = None) -> None:
    """Ask, compare reference, amount and currency with the intent, and take the step that follows."""
    async with context.read() as connection:
        deposit = await DepositStore(connection).find(deposit_id)
    if deposit is None or not (deposit.unpaid or delivery is not None):
        return  # a webhook is a reason to ask again even of what has succeeded: payments are taken back
    answer = await context.ask(deposit.provider, lambda provider: provider.sync(deposit.reference))
    async with context.unit_of_work(delivery) as work:
        await work.provider_records.add_answer(deposit.provider, "sync", deposit.reference, answer, work.now)
        await _record(work, deposit, answer)


async def _record(work: PaymentsWork, deposit: Deposit, answer: Answer[Settled]) -> None:
    saga = await work.sagas.load(DEPOSIT, deposit.id)
    assert saga is not None  # noqa: S101 added with the intent
    cause = _cause(deposit, answer, DepositState(saga.state))
    late = saga.deadline_at is not None and saga.deadline_at <= work.now
    if cause is None and saga.state is DepositState.PENDING and late and isinstance(answer, _NOT_PAID):
        cause = DEADLINE_PASSED
    if cause is not None:
        await advance_deposit(work, saga, cause)
    elif saga.state is DepositState.PENDING or (saga.state is DepositState.EXPIRED and not isinstance(answer, _NOT_PAID)):
        # Also after its time: whoever gave reason to ask will not say it twice.
        await work.deposits.change(deposit.id, next_sync_at=deposit.sync_again_at(work.now))


def _cause(deposit: Deposit, answer: Answer[Settled], state: DepositState) -> Cause | None:
    if isinstance(answer, Failure):
        if answer.code == PAYMENT_EXPIRED and state is DepositState.PENDING:
            return DEADLINE_PASSED
        return PaymentRefused(code=answer.code, reason=answer.reason)
    if not isinstance(answer, Success):
        return None
    paid = answer.value
    wrong = deposit.mismatch(reference=paid.reference, amount_minor=paid.amount_minor, currency=paid.currency)
    if wrong is None:
        return PaymentConfirmed()
    _log.error("a payment is not what was ordered; nothing is credited", extra={"deposit_id": str(deposit.id), "wrong": wrong})
    return PaymentMismatched()
