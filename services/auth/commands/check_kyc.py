"""Have the provider decide about what was submitted, where there is a provider.

A check is started, then asked for when a webhook gives reason to, or when none has come for a while.
"""

import logging
from dataclasses import replace
from datetime import timedelta

from services.auth.commands.decide_kyc import approve, reject
from services.auth.context import Context
from services.auth.domain.kyc import KycSubmission
from services.auth.domain.origin import SYSTEM
from services.auth.providers.kyc import CheckOutcome, IdentityProvider
from services.auth.store.kyc import KycSubmissions
from shared.contracts.auth.kyc_commands import CheckIdentity
from shared.messaging.consumer import Delivery

_AT_ONCE = 50
_log = logging.getLogger(__name__)


async def check_kyc(context: Context) -> None:
    """Take every submission whose time has come one step on. One that fails is tried again later."""
    provider = context.identity_provider
    if provider is None:
        return
    async with context.read() as connection:
        store = KycSubmissions(connection, context.vault)
        waiting = await store.checked_by_provider(provider.name, context.clock.now(), _AT_ONCE)
    for submission in waiting:
        try:
            await _step(context, provider, submission)
        except Exception:
            _log.exception("an identity check did not go on; it is tried again", extra={"kyc_id": str(submission.id)})
            await _postpone(context, provider, submission)


async def check_kyc_on_request(context: Context, delivery: Delivery[CheckIdentity]) -> None:
    """A webhook gave reason to ask. It may come before we know the check's name there, late, or when a reviewer has decided."""
    provider = context.identity_provider
    async with context.read() as connection:
        submission = await KycSubmissions(connection, context.vault).find(delivery.message.kyc_id)
    if provider is None or submission is None or submission.status != "pending" or submission.provider != provider.name:
        return
    await _step(context, provider, submission, delivery)


async def _step(
    context: Context, provider: IdentityProvider, submission: KycSubmission, delivery: Delivery[CheckIdentity] | None = None
) -> None:
    reference = submission.provider_reference
    if reference is None:
        reference = await provider.start(submission, await _documents(context, submission))
    outcome = await provider.outcome(reference)
    async with context.unit_of_work(delivery) as work:
        current = await work.kyc.find(submission.id, lock=True)
        if current is None or current.status != "pending" or current.provider != provider.name:
            return
        current = replace(current, provider_reference=reference)
        if current.claimed_at_all(work.now):
            current = replace(current, provider=None)  # a reviewer was quicker and has it in hands
            await work.kyc.save(current)
            return
        current = current.checked_again(work.now, timedelta(seconds=provider.first_pause_seconds))
        await work.kyc.save(current)
        if outcome.verdict == "approved":
            await approve(context, work, current, None, 2, SYSTEM)
        elif outcome.verdict == "rejected":
            await reject(context, work, current, None, _reason(outcome), SYSTEM)
        elif outcome.verdict == "manual":
            await work.kyc.save(replace(current, provider=None))


async def _postpone(context: Context, provider: IdentityProvider, submission: KycSubmission) -> None:
    """Let others go first."""
    async with context.unit_of_work() as work:
        current = await work.kyc.find(submission.id, lock=True)
        if current is not None and current.status == "pending":
            await work.kyc.save(current.checked_again(work.now, timedelta(seconds=provider.first_pause_seconds)))


def _reason(outcome: CheckOutcome) -> str:
    return outcome.reason or "The document could not be confirmed."


async def _documents(context: Context, submission: KycSubmission) -> list[tuple[str, bytes]]:
    async with context.read() as connection:
        documents = await KycSubmissions(connection, context.vault).documents_of(submission.id)
    return [(one.media_type, await context.files.get(one.file_key(submission.id))) for one in documents]
