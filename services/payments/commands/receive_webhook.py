"""A provider calls: keep the event, once, and have somebody look; nothing is believed here."""

import json
import logging
from collections.abc import Mapping

from services.payments.context import Context
from services.payments.domain.problems import ProviderNotFound
from services.payments.providers.base import ProviderEvent
from services.payments.store.unit_of_work import PaymentsWork
from shared.contracts.payments.provider_commands import RunPayout, SyncDeposit
from shared.webhooks import WebhookUnreadable

_log = logging.getLogger(__name__)


async def receive_webhook(context: Context, provider_name: str, headers: Mapping[str, str], body: bytes) -> None:
    """Verify and keep a webhook; the same event again changes nothing.

    Raises `ProviderNotFound`, `WebhookForged`, `WebhookStale`, `WebhookUnreadable`.
    """
    provider = context.providers.get(provider_name)
    if provider is None:
        raise ProviderNotFound("Check the address that the provider was given.")
    event = provider.parse_webhook(headers, body, context.clock.now())
    if b"\\u0000" in body or not _storable(event):
        raise WebhookUnreadable("The body holds a NUL character, broken Unicode, or a number that is none.")
    async with context.unit_of_work() as work:
        if await work.provider_records.add_event(provider_name, event, work.now):
            await _have_it_looked_into(work, provider_name, event)


def _storable(event: ProviderEvent) -> bool:
    """Whether the database can hold it: what JSON readers let pass is more than JSON."""
    try:
        json.dumps(dict(event.body), ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        return False
    return True


async def _have_it_looked_into(work: PaymentsWork, provider: str, event: ProviderEvent) -> None:
    if event.reference is None:
        return
    if deposit := await work.deposits.find_by_reference(provider, event.reference):
        work.outbox.send(SyncDeposit(deposit_id=deposit.id), aggregate_id=deposit.id)
    elif withdrawal := await work.withdrawals.find_by_reference(provider, event.reference):
        work.outbox.send(RunPayout(withdrawal_id=withdrawal.id), aggregate_id=withdrawal.id)
    else:
        _log.warning("a provider told us about something we do not know", extra={"provider": provider, "type": event.type})
