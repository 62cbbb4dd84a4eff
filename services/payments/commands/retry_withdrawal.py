"""An operator gives a stuck withdrawal a push: what it waits for is asked for again. Never a second payout."""

from uuid import UUID

from services.payments.commands.advance_withdrawal import advance_withdrawal
from services.payments.context import Context
from services.payments.domain.problems import WithdrawalNotFound, WithdrawalSettled
from services.payments.sagas.withdrawal import WITHDRAWAL
from shared.sagas import DEADLINE_PASSED


async def retry_withdrawal(context: Context, operator_id: UUID, withdrawal_id: UUID) -> None:
    """Do now what the next deadline would do. Raises `WithdrawalNotFound` or `WithdrawalSettled`."""
    async with context.unit_of_work() as work:
        saga = await work.sagas.load(WITHDRAWAL, withdrawal_id)
        if saga is None:
            raise WithdrawalNotFound("Check the id.")
        if not await advance_withdrawal(work, saga, DEADLINE_PASSED):
            raise WithdrawalSettled(f"It is {saga.state.value}; there is nothing to retry.")
        work.publish_action("withdrawal.retried", actor=operator_id, subject_id=withdrawal_id, after={"step": saga.state.value})
