"""Reads of withdrawals."""

from collections.abc import Sequence
from uuid import UUID

from services.payments.context import Context
from services.payments.domain.problems import WithdrawalNotFound
from services.payments.domain.withdrawal import Withdrawal
from services.payments.store.withdrawals import WithdrawalStore


async def withdrawals_of(context: Context, user_id: UUID, after: UUID | None, limit: int) -> Sequence[Withdrawal]:
    """The user's withdrawals, newest first."""
    async with context.read() as connection:
        return await WithdrawalStore(connection).of_user(user_id, after, limit)


async def withdrawal_of(context: Context, user_id: UUID, withdrawal_id: UUID) -> Withdrawal:
    """One withdrawal of the user. Raises `WithdrawalNotFound`."""
    async with context.read() as connection:
        withdrawal = await WithdrawalStore(connection).find_for(user_id, withdrawal_id)
    if withdrawal is None:
        raise WithdrawalNotFound("Check the id: GET /v1/withdrawals lists your withdrawals.")
    return withdrawal


async def any_withdrawal(context: Context, withdrawal_id: UUID) -> Withdrawal:
    """One withdrawal, for operators. Raises `WithdrawalNotFound`."""
    async with context.read() as connection:
        withdrawal = await WithdrawalStore(connection).find(withdrawal_id)
    if withdrawal is None:
        raise WithdrawalNotFound("Check the id.")
    return withdrawal
