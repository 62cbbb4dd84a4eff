"""Reads of deposits."""

from collections.abc import Sequence
from uuid import UUID

from services.payments.context import Context
from services.payments.domain.deposit import Deposit
from services.payments.domain.problems import DepositNotFound
from services.payments.store.deposits import DepositStore


async def deposits_of(context: Context, user_id: UUID, after: UUID | None, limit: int) -> Sequence[Deposit]:
    """The user's deposits, newest first."""
    async with context.read() as connection:
        return await DepositStore(connection).of_user(user_id, after, limit)


async def deposit_of(context: Context, user_id: UUID, deposit_id: UUID) -> Deposit:
    """One deposit of the user. Raises `DepositNotFound`."""
    async with context.read() as connection:
        deposit = await DepositStore(connection).find_for(user_id, deposit_id)
    if deposit is None:
        raise DepositNotFound("Check the id: GET /v1/deposits lists your deposits.")
    return deposit
