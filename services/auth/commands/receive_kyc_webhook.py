"""A company that checks identities calls: keep that it did, once, and have somebody ask; nothing is believed here."""

import logging
from collections.abc import Mapping

from services.auth.context import Context
from services.auth.domain.problems import KycProviderNotFound
from services.auth.providers.kyc.base import submission_of
from shared.contracts.auth.kyc_commands import CheckIdentity
from shared.webhooks import WebhookUnreadable

_log = logging.getLogger(__name__)


async def receive_kyc_webhook(context: Context, name: str, headers: Mapping[str, str], body: bytes) -> None:
    """Verify a webhook and keep its key; the same event again changes nothing.

    Raises `KycProviderNotFound`, `WebhookForged`, `WebhookStale`, `WebhookUnreadable`.
    """
    provider = context.identity_provider
    if provider is None or provider.name != name:
        raise KycProviderNotFound("Check the address that the provider was given.")
    event = provider.parse_webhook(headers, body, context.clock.now())
    if b"\\u0000" in body:
        raise WebhookUnreadable("The body holds a NUL character.")
    kyc_id = submission_of(event.reference)
    async with context.unit_of_work() as work:
        if not await work.kyc.add_event(name, event, work.now):
            return
        if kyc_id is None or await work.kyc.find(kyc_id) is None:
            _log.warning("a provider told us about a check that we do not know", extra={"provider": name, "type": event.type})
            return
        work.outbox.send(CheckIdentity(kyc_id=kyc_id), aggregate_id=kyc_id)
