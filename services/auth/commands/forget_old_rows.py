"""Delete what has no use any more: ended sessions, dead links, idle counters."""

from datetime import timedelta

from services.auth.context import Context

_SESSIONS_KEPT = timedelta(days=90)
_LINKS_KEPT = timedelta(days=7)
_COUNTERS_KEPT = timedelta(days=2)
_EVENTS_KEPT = timedelta(days=30)
_CODES_KEPT = timedelta(hours=1)
_SETUPS_KEPT = timedelta(days=1)


async def forget_old_rows(context: Context) -> None:
    """Delete it. Sessions stay for a while because the place of an earlier login speaks for a new one."""
    async with context.unit_of_work() as work:
        await work.sessions.forget_before(work.now - _SESSIONS_KEPT)
        await work.links.forget_before(work.now - _LINKS_KEPT)
        await work.attempts.forget_before(work.now - _COUNTERS_KEPT)
        await work.sent_codes.forget_before(work.now - _CODES_KEPT)
        await work.pending_logins.forget_before(work.now - _CODES_KEPT)
        await work.passkeys.forget_challenges(work.now - _CODES_KEPT)
        await work.sign_on_attempts.forget_before(work.now - _CODES_KEPT)
        await work.kyc.forget_events(work.now - _EVENTS_KEPT)
        await work.second_factors.forget_unconfirmed(work.now - _SETUPS_KEPT)
