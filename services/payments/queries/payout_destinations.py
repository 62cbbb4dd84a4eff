"""Reads of saved payout destinations."""

from collections.abc import Sequence
from uuid import UUID

from services.payments.context import Context
from services.payments.domain.payout_destination import PayoutDestination
from services.payments.domain.problems import PayoutDestinationNotFound
from services.payments.store.payout_destinations import PayoutDestinations


async def destinations_of(context: Context, user_id: UUID, after: UUID | None, limit: int) -> Sequence[PayoutDestination]:
    """The user's destinations, newest first."""
    async with context.read() as connection:
        return await PayoutDestinations(connection).of_user(user_id, after, limit)


async def destination_of(context: Context, user_id: UUID, destination_id: UUID) -> PayoutDestination:
    """One destination of the user. Raises `PayoutDestinationNotFound`."""
    async with context.read() as connection:
        destination = await PayoutDestinations(connection).find_for(user_id, destination_id)
    if destination is None:
        raise PayoutDestinationNotFound("Check the id: GET /v1/payout-destinations lists those that you have saved.")
    return destination
