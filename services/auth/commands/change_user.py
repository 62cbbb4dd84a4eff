"""What an administrator changes about an account: its roles, and whether it may be used."""

from uuid import UUID

from services.auth.commands.end_session import EndReason, end_sessions
from services.auth.commands.tell_user import publish_updated
from services.auth.context import Context
from services.auth.domain.origin import Origin
from services.auth.domain.problems import OwnAccount, UserNotFound
from services.auth.domain.user import Status, User


async def change_user(
    context: Context, admin_id: UUID, user_id: UUID, *, roles: tuple[str, ...] | None, status: Status | None, origin: Origin
) -> User:
    """The account as it is now. One that is not active any more has all of its sessions ended.

    Raises `UserNotFound`, `OwnAccount` or `AccountClosed`.
    """
    async with context.unit_of_work() as work:
        user = await work.users.find(user_id, lock=True)
        if user is None:
            raise UserNotFound
        if user_id == admin_id:
            raise OwnAccount("So that there is always an administrator who can get in.")
        changed = user if roles is None or set(roles) == set(user.roles) else user.with_roles(roles, work.now)
        changed = changed if status is None or status == user.status else changed.with_status(status, work.now)
        if changed == user:
            return user
        await work.users.save(changed)
        if not changed.active:
            reason: EndReason = "closed" if changed.status == "closed" else "suspended"
            await end_sessions(work, user_id, reason=reason, origin=origin, actor_id=admin_id)
        publish_updated(work, changed)
        await work.audit(
            "user.changed",
            origin=origin,
            actor_id=admin_id,
            subject_id=user_id,
            before={"roles": list(user.roles), "status": user.status},
            after={"roles": list(changed.roles), "status": changed.status},
        )
        return changed
