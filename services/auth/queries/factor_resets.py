"""Reads of resets of second factors."""

from collections.abc import Sequence
from uuid import UUID

from services.auth.context import Context
from services.auth.domain.factor_problems import FactorResetNotFound
from services.auth.domain.factor_reset import FactorReset
from services.auth.store.factor_resets import FactorResets
from shared.http.paging import PageRequest


async def list_factor_resets(
    context: Context, page: PageRequest, *, status: str | None, user_id: UUID | None
) -> Sequence[FactorReset]:
    """Resets, newest first; one more than the page holds."""
    async with context.read() as connection:
        store = FactorResets(connection)
        found = await store.page(status=status, user_id=user_id, after=page.after, count=page.fetch)
    return [reset.as_of(context.clock.now()) for reset in found]


async def find_factor_reset(context: Context, reset_id: UUID) -> FactorReset:
    """One of them. Raises `FactorResetNotFound`."""
    async with context.read() as connection:
        found = await FactorResets(connection).find(reset_id)
    if found is None:
        raise FactorResetNotFound("Look at the list of resets.")
    return found.as_of(context.clock.now())


async def own_factor_reset(context: Context, user_id: UUID) -> FactorReset:
    """What is open about the caller's account. Raises `FactorResetNotFound`."""
    async with context.read() as connection:
        found = await FactorResets(connection).open_of(user_id)
    if found is None or not found.as_of(context.clock.now()).open:
        raise FactorResetNotFound("Nobody has asked to reset your second factors.")
    return found
