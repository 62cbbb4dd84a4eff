"""Take a withdrawal back, as long as no provider has been asked to pay it."""

from uuid import UUID

from services.payments.commands.advance_withdrawal import advance_withdrawal
from services.payments.context import Context
from services.payments.domain.problems import WithdrawalNotCancellable, WithdrawalNotFound
from services.payments.domain.withdrawal import WithdrawalStatus
from services.payments.sagas.withdrawal import WITHDRAWAL, CancelRequested


async def cancel_withdrawal(context: Context, user_id: UUID, withdrawal_id: UUID) -> None:
    """Have the held money released; asking again changes nothing.

    The row lock of the saga decides between this and the worker that is about to pay: exactly one wins. Raises
    `WithdrawalNotFound` or `WithdrawalNotCancellable`.
    """
    async with context.unit_of_work() as work:
        withdrawal = await work.withdrawals.find_for(user_id, withdrawal_id)
        saga = await work.sagas.load(WITHDRAWAL, withdrawal_id) if withdrawal is not None else None
        if saga is None:
            raise WithdrawalNotFound("Check the id: GET /v1/withdrawals lists your withdrawals.")
        if await advance_withdrawal(work, saga, CancelRequested(), cancel_requested_at=work.now):
            return
        withdrawal = await work.withdrawals.find(withdrawal_id)
        assert withdrawal is not None  # noqa: S101 found above
        if withdrawal.cancel_requested_at is not None and withdrawal.status is not WithdrawalStatus.FAILED:
            return
        raise WithdrawalNotCancellable(f"It is {withdrawal.status}. Only a pending withdrawal can be cancelled.")
