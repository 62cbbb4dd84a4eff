"""Approve or decline a reset of second factors that another operator asked for."""

from datetime import timedelta
from uuid import UUID

from services.auth.commands.request_factor_reset import audit_reset, instant, mail_with_stop
from services.auth.commands.tell_user import send_mail
from services.auth.context import Context
from services.auth.domain.factor_problems import FactorResetEnded, FactorResetNotFound
from services.auth.domain.factor_reset import FactorReset
from services.auth.domain.origin import Origin
from services.auth.domain.problems import UserNotFound
from services.auth.domain.role_grant import OPERATOR_ROLES
from services.auth.domain.user import User
from services.auth.store.unit_of_work import AuthUnitOfWork

_WORTH_TELLING = timedelta(days=7)


async def approve_factor_reset(context: Context, admin_id: UUID, reset_id: UUID, origin: Origin) -> FactorReset:
    """The reset, waiting for its time; approving it again changes nothing and tells nobody.

    Raises `FactorResetNotFound`, `SecondPersonRequired` or `FactorResetEnded`.
    """
    async with context.unit_of_work() as work:
        reset, user = await locked_reset(work, reset_id)
        approved = reset.approve(admin_id, work.now, timedelta(hours=context.settings.auth_factor_reset_wait_hours))
        if approved == reset or approved.due_at is None:
            return reset
        requester = await work.users.find(reset.requested_by)
        if requester is None or not requester.active or not OPERATOR_ROLES & set(requester.roles):
            raise FactorResetEnded("Who asked for it is not an operator any more. Decline it, and ask again yourself.")
        if not user.active:
            raise FactorResetEnded("The account is not active any more. Decline it.")
        await work.factor_resets.save(approved)
        due = instant(approved.due_at)
        await mail_with_stop(context, work, user, "factor_reset_approved", until=approved.due_at, due_at=due)
        await audit_reset(work, approved, admin_id, origin, action="approved")
        return approved


async def decline_factor_reset(
    context: Context, operator_id: UUID, reset_id: UUID, reason: str | None, origin: Origin
) -> FactorReset:
    """The declined reset, also one that was approved and waits. Raises `FactorResetNotFound` or `FactorResetEnded`."""
    async with context.unit_of_work() as work:
        reset, user = await locked_reset(work, reset_id)
        declined = reset.decline(operator_id, reason, work.now)
        if declined == reset:
            return reset
        await work.factor_resets.save(declined)
        if user.active:
            send_mail(work, user, "factor_reset_declined", expires_in=_WORTH_TELLING, declined_at=instant(work.now))
        await audit_reset(work, declined, operator_id, origin)
        return declined


async def locked_reset(work: AuthUnitOfWork, reset_id: UUID) -> tuple[FactorReset, User]:
    """The reset and its account, both locked: the account first. Raises `FactorResetNotFound`."""
    seen = await work.factor_resets.find(reset_id)
    user = await work.users.find(seen.user_id, lock=True) if seen else None
    reset = await work.factor_resets.find(reset_id, lock=True) if user else None
    if reset is None:
        raise FactorResetNotFound("Look at the list of resets.")
    if user is None:
        raise UserNotFound
    return reset, user
