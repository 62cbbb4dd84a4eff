"""Confirmed identities do not stay so for ever: people are reminded, and then asked anew."""

from dataclasses import replace

from services.auth.commands.decide_kyc import publish_level
from services.auth.context import Context
from services.auth.domain.kyc import RENEWAL_OPENS
from services.auth.domain.origin import SYSTEM
from shared.contracts.auth.kyc_events import KycExpired, KycExpiring

_AT_ONCE = 100


async def expire_kyc(context: Context) -> None:
    """Remind those whose approval ends within a month, once, and end those whose last day has passed."""
    while await _remind(context) == _AT_ONCE:
        pass
    while await _expire(context) == _AT_ONCE:
        pass


async def _remind(context: Context) -> int:
    async with context.unit_of_work() as work:
        soon = await work.kyc.ending(work.now.date() + RENEWAL_OPENS, _AT_ONCE, reminded=False)
        for submission in soon:
            await work.kyc.save(replace(submission, reminded_at=work.now))
            assert submission.expires_on is not None  # noqa: S101 it is approved
            work.outbox.publish(
                KycExpiring(user_id=submission.user_id, kyc_id=submission.id, expires_on=submission.expires_on),
                aggregate_id=submission.user_id,
            )
        return len(soon)


async def _expire(context: Context) -> int:
    async with context.unit_of_work() as work:
        over = await work.kyc.ending(work.now.date(), _AT_ONCE, reminded=True)
        for submission in over:
            await work.kyc.save(submission.expire())
            latest = await work.kyc.latest_of(submission.user_id)
            if latest is not None and latest.id != submission.id and latest.status == "approved":
                continue  # renewed in time
            work.outbox.publish(
                KycExpired(user_id=submission.user_id, kyc_id=submission.id, expired_at=work.now),
                aggregate_id=submission.user_id,
            )
            await publish_level(context, work, submission.user_id, None)
            await work.audit(
                "kyc.expired",
                origin=SYSTEM,
                actor_id=None,
                subject_id=submission.id,
                before={"status": "approved", "level": submission.level},
                after={"status": "expired"},
            )
        return len(over)
