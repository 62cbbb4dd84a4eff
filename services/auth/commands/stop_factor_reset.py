"""The owner of an account stops a reset of its second factors: with a mailed link, logged in, or by using a factor."""

from datetime import timedelta
from uuid import UUID

from services.auth.commands.request_factor_reset import audit_reset, instant
from services.auth.commands.tell_user import send_mail
from services.auth.context import Context
from services.auth.domain.factor_problems import FactorResetNotFound
from services.auth.domain.links import hash_of
from services.auth.domain.origin import Origin
from services.auth.domain.problems import LinkInvalid
from services.auth.domain.user import User
from services.auth.store.unit_of_work import AuthUnitOfWork

_WORTH_TELLING = timedelta(days=7)


async def stop_with_link(context: Context, secret: str, origin: Origin) -> None:
    """Stop what the account of the link has open. Raises `LinkInvalid`."""
    async with context.unit_of_work() as work:
        link = await work.links.find("stop_factor_reset", hash_of(secret))
        user = await work.users.find(link.user_id, lock=True) if link else None
        usable = link is not None and link.usable(work.now)
        if user is None or not usable or not await stop_open_reset(work, user, "by a mailed link", origin):
            raise LinkInvalid("There is nothing to stop any more. If you can still not log in, write to support.")


async def stop_logged_in(context: Context, user_id: UUID, origin: Origin) -> None:
    """Stop one's own. No fresh proof is asked for: it only keeps what is. Raises `FactorResetNotFound`."""
    async with context.unit_of_work() as work:
        user = await work.users.find(user_id, lock=True)
        if user is None or not await stop_open_reset(work, user, "logged in", origin):
            raise FactorResetNotFound("Nobody has asked to reset your second factors.")


async def stop_open_reset(work: AuthUnitOfWork, user: User, why: str, origin: Origin) -> bool:
    """Stop what is open, if anything is. The account must be locked.

    Whoever gives a second factor has not lost it: then the request was a mistake, or somebody else's.
    """
    reset = await work.factor_resets.open_of(user.id, lock=True)
    if reset is None or not reset.as_of(work.now).open:
        return False
    stopped = reset.stop(work.now, why)
    await work.factor_resets.save(stopped)
    await work.links.use_up(user.id, "stop_factor_reset", work.now)
    send_mail(work, user, "factor_reset_stopped", expires_in=_WORTH_TELLING, stopped_at=instant(work.now))
    await audit_reset(work, stopped, user.id, origin)
    return True
