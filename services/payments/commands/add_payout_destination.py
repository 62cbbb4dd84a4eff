"""Save a destination to be paid out to again. Its owner is told, and nothing is paid to it for a while."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from services.payments.commands.check_order import check_destination
from services.payments.context import Context
from services.payments.domain.payout_destination import MOST_SAVED, PayoutDestination, in_words
from services.payments.domain.problems import TooManyDestinations
from services.payments.providers.base import Provider
from services.payments.store.payout_destinations import PayoutDestinations
from services.payments.store.unit_of_work import PaymentsWork
from shared.contracts.payments.destination_events import PayoutDestinationAdded
from shared.crypto import Vault
from shared.identity import Principal
from shared.ids import new_id


@dataclass(frozen=True)
class NewDestination:
    """What somebody wants to save."""

    provider: str
    destination: Mapping[str, str]
    label: str | None


def saved_place(destination_id: UUID) -> str:
    """Where a sealed destination belongs; it opens nowhere else."""
    return f"payout_destinations.destination:{destination_id}"


def open_saved(vault: Vault, saved: PayoutDestination) -> dict[str, str]:
    """Where it leads."""
    opened: dict[str, str] = json.loads(vault.decrypt_text(saved.destination_encrypted, aad=saved_place(saved.id)))
    return opened


async def add_payout_destination(context: Context, person: Principal, new: NewDestination) -> tuple[PayoutDestination, bool]:
    """The saved destination, and whether it is new: one that was saved before stays as it is, its time too.

    Raises `UnknownProvider`, `ProviderCannot`, `DestinationRefused`, `TooManyDestinations`.
    """
    provider, destination = check_destination(context, new.provider, new.destination)
    async with context.unit_of_work() as work:
        await work.payout_destinations.lock(person.user_id)
        if earlier := await find_saved(context, work.payout_destinations, person.user_id, new.provider, destination):
            return earlier, False
        if len(await work.payout_destinations.of_user(person.user_id)) >= MOST_SAVED:
            raise TooManyDestinations(
                f"{MOST_SAVED} are the most. Remove one that you do not need: DELETE /v1/payout-destinations/{{id}}."
            )
        saved = _saved(context, work, person, provider, destination, new.label)
        await work.payout_destinations.add(saved)
        _tell(work, person, saved)
    return saved, True


async def find_saved(
    context: Context, store: PayoutDestinations, user_id: UUID, provider: str, destination: Mapping[str, str]
) -> PayoutDestination | None:
    """The one of a person's destinations that leads there. All are opened and compared: a digest would not outlive its key."""
    for saved in await store.of_user(user_id, provider=provider):
        if open_saved(context.vault, saved) == dict(destination):
            return saved
    return None


def _saved(
    context: Context,
    work: PaymentsWork,
    person: Principal,
    provider: Provider,
    destination: Mapping[str, str],
    label: str | None,
) -> PayoutDestination:
    destination_id = new_id()
    return PayoutDestination(
        id=destination_id,
        user_id=person.user_id,
        provider=provider.capabilities.name,
        destination_encrypted=context.vault.encrypt_text(json.dumps(destination), aad=saved_place(destination_id)),
        destination_masked=dict(provider.mask_destination(destination)),
        label=label,
        created_at=work.now,
        usable_from=work.now + context.settings.payout_cooling_off,
    )


def _tell(work: PaymentsWork, person: Principal, saved: PayoutDestination) -> None:
    work.outbox.publish(
        PayoutDestinationAdded(
            destination_id=saved.id,
            user_id=saved.user_id,
            provider=saved.provider,
            shown=in_words(saved.destination_masked),
            added_at=saved.created_at,
            usable_from=saved.usable_from,
        ),
        aggregate_id=saved.id,
    )
    after = {"provider": saved.provider, "usable_from": saved.usable_from.isoformat()}
    work.publish_action("payout_destination.added", actor=person, subject_id=saved.id, after=after)
