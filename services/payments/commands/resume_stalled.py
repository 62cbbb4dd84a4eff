"""Deposits and withdrawals whose deadline has passed: what they wait for is asked for again."""

from functools import partial
from uuid import UUID

from services.payments.commands.advance_deposit import advance_deposit
from services.payments.commands.advance_withdrawal import advance_withdrawal
from services.payments.commands.each import for_each
from services.payments.context import Context
from services.payments.sagas.deposit import DEPOSIT, DepositState
from services.payments.sagas.withdrawal import WITHDRAWAL
from services.payments.store.deposits import DepositStore
from services.payments.store.withdrawals import WithdrawalStore
from shared.sagas import DEADLINE_PASSED

_BATCH = 100


async def resume_stalled_deposits(context: Context) -> None:
    """Deposits that the ledger has not answered for. (Unpaid ones expire in `sync_due_deposits`.)"""
    async with context.read() as connection:
        due = await DepositStore(connection).due_in_ledger(context.clock.now(), _BATCH)
    await for_each(due, partial(_resume_deposit, context))


async def resume_stalled_withdrawals(context: Context) -> None:
    """Withdrawals that wait for the ledger, a worker or the provider."""
    async with context.read() as connection:
        due = await WithdrawalStore(connection).due(context.clock.now(), _BATCH)
    await for_each(due, partial(_resume_withdrawal, context))


async def _resume_deposit(context: Context, deposit_id: UUID) -> None:
    async with context.unit_of_work() as work:
        saga = await work.sagas.load(DEPOSIT, deposit_id)
        if saga is not None and saga.state is not DepositState.PENDING and saga.deadline_at and saga.deadline_at <= work.now:
            await advance_deposit(work, saga, DEADLINE_PASSED)


async def _resume_withdrawal(context: Context, withdrawal_id: UUID) -> None:
    async with context.unit_of_work() as work:
        saga = await work.sagas.load(WITHDRAWAL, withdrawal_id)
        if saga is not None and saga.deadline_at and saga.deadline_at <= work.now:
            await advance_withdrawal(work, saga, DEADLINE_PASSED)
