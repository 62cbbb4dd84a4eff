"""Ask a second operator to end the second factors of somebody who has lost them all. The owner is told and can stop it."""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from services.auth.commands.tell_user import send_mail
from services.auth.context import Context
from services.auth.domain.factor_problems import FactorResetOpen, FactorResetRefused
from services.auth.domain.factor_reset import FactorReset
from services.auth.domain.links import MailedLink, hash_of, link_to
from services.auth.domain.origin import Origin
from services.auth.domain.problems import OwnAccount, UserNotFound
from services.auth.domain.user import User
from services.auth.store.unit_of_work import AuthUnitOfWork
from shared.ids import new_id


async def request_factor_reset(context: Context, operator_id: UUID, user_id: UUID, reason: str, origin: Origin) -> FactorReset:
    """The request, waiting for an administrator. Raises `UserNotFound`, `OwnAccount`, `FactorResetRefused`, `FactorResetOpen`."""
    settings = context.settings
    async with context.unit_of_work() as work:
        user = await work.users.find(user_id, lock=True)
        if user is None:
            raise UserNotFound
        if user_id == operator_id:
            raise OwnAccount("Ask a colleague to do it; another one approves it.")
        await _refuse_needless(context, work, user)
        present = await work.factor_resets.open_of(user_id, lock=True)
        if present is not None:
            ended = present.as_of(work.now)
            if ended.open:
                raise FactorResetOpen(f"It is {present.id}. Approve or decline that one.")
            await work.factor_resets.save(ended)
            await audit_reset(work, ended, None, origin)
        reset = FactorReset(
            id=new_id(),
            user_id=user_id,
            reason=reason,
            status="awaiting_approval",
            requested_by=operator_id,
            requested_at=work.now,
            expires_at=work.now + timedelta(hours=settings.auth_factor_reset_hours),
        )
        await work.factor_resets.add(reset)
        stoppable_until = reset.expires_at + timedelta(hours=settings.auth_factor_reset_wait_hours)
        await mail_with_stop(context, work, user, "factor_reset_requested", until=stoppable_until, asked_at=instant(work.now))
        await audit_reset(work, reset, operator_id, origin, action="requested")
        return reset


async def _refuse_needless(context: Context, work: AuthUnitOfWork, user: User) -> None:
    if not user.active:
        raise FactorResetRefused(f"The account is {user.status}. Nobody can log in to it in any way.")
    if not context.email_verified(user):
        raise FactorResetRefused("The address of the account was never confirmed, so its owner cannot be told.")
    if not (await work.second_factors.of(user.id)).any:
        raise FactorResetRefused("The account has no second factor. A forgotten password is set anew by its owner.")


async def mail_with_stop(
    context: Context, work: AuthUnitOfWork, user: User, template: str, *, until: datetime, **data: str
) -> None:
    """Write to the owner with a link that stops the reset. Links of earlier letters go on working: any of them may be at hand."""
    secret = secrets.token_urlsafe(32)
    link = MailedLink(
        id=new_id(),
        user_id=user.id,
        purpose="stop_factor_reset",
        email=user.email,
        token_hash=hash_of(secret),
        created_at=work.now,
        expires_at=until,
    )
    await work.links.add(link)
    address = link_to("stop_factor_reset", context.settings.public_url, secret)
    send_mail(work, user, template, expires_in=until - work.now, link=address, **data)


async def audit_reset(
    work: AuthUnitOfWork, reset: FactorReset, actor_id: UUID | None, origin: Origin, *, action: str | None = None
) -> None:
    """Record what became of it. The reasons stay with the reset: people write names into them."""
    await work.audit(
        f"factor_reset.{action or reset.status}",
        origin=origin,
        actor_id=actor_id,
        subject_id=reset.id,
        after={"status": reset.status, "user_id": str(reset.user_id)},
    )


def instant(moment: datetime) -> str:
    """As letters say it."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"
