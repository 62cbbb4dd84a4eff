"""Forget a saved destination. Withdrawals that are under way to it have their own copy, and go on."""

from uuid import UUID

from services.payments.context import Context
from services.payments.domain.payout_destination import in_words
from services.payments.domain.problems import PayoutDestinationNotFound
from shared.contracts.payments.destination_events import PayoutDestinationRemoved
from shared.identity import Principal


async def remove_payout_destination(context: Context, person: Principal, destination_id: UUID) -> None:
    """Delete it, and tell its owner. Raises `PayoutDestinationNotFound`."""
    async with context.unit_of_work() as work:
        removed = await work.payout_destinations.remove(person.user_id, destination_id)
        if removed is None:
            raise PayoutDestinationNotFound("Check the id: GET /v1/payout-destinations lists those that you have saved.")
        work.outbox.publish(
            PayoutDestinationRemoved(
                destination_id=removed.id,
                user_id=removed.user_id,
                provider=removed.provider,
                shown=in_words(removed.destination_masked),
                removed_at=work.now,
            ),
            aggregate_id=removed.id,
        )
        work.publish_action(
            "payout_destination.removed", actor=person, subject_id=removed.id, before={"provider": removed.provider}
        )
