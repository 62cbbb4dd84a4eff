"""What an administrator changes about an account: its roles, and whether it may be used.

Taking away is immediate. Giving a role of operators waits for a second administrator.
"""

from uuid import UUID

from services.auth.commands.end_session import EndReason, end_sessions
from services.auth.commands.request_role_grant import ask_for_roles, withdraw_request
from services.auth.commands.tell_user import publish_updated
from services.auth.context import Context
from services.auth.domain.origin import Origin
from services.auth.domain.problems import LastAdministrator, OwnAccount, UserNotFound
from services.auth.domain.role_grant import RoleGrant, needs_second_person
from services.auth.domain.user import Status, User
from services.auth.store.unit_of_work import AuthUnitOfWork
from shared.problems import Forbidden


async def change_user(
    context: Context, admin_id: UUID, user_id: UUID, *, roles: tuple[str, ...] | None, status: Status | None, origin: Origin
) -> tuple[User, RoleGrant | None]:
    """The account as it is now, and the request for roles that waits for a second administrator, if any.

    A role that is taken, and an account that is not active any more, ends the sessions of the account.
    Raises `UserNotFound`, `OwnAccount`, `LastAdministrator` or `AccountClosed`.
    """
    async with context.unit_of_work() as work:
        user = await work.users.find(user_id, lock=True)
        if user is None:
            raise UserNotFound
        if user_id == admin_id:
            raise OwnAccount("So that there is always an administrator who can get in.")
        changed = user if status is None or status == user.status else user.with_status(status, work.now)
        grant = await work.role_grants.open_of(user_id, lock=True)
        if roles is not None:
            missing = set(roles) - set(user.roles)
            waiting = needs_second_person(missing)
            at_once = tuple(sorted(set(roles) - set(waiting)))
            if set(at_once) != set(user.roles):
                # Who has only operators' roles so far keeps an ordinary one while the others wait.
                changed = changed.with_roles(at_once or ("user",), work.now)
            grant = await _settle_request(context, work, admin_id, user, grant, waiting, origin)
        if not changed.active and grant is not None:
            await withdraw_request(work, grant, admin_id, origin)
            grant = None
        await _refuse_without_administrator(work, admin_id, user, changed)
        if changed != user:
            await _save(work, admin_id, user, changed, origin)
        waits = grant is not None and grant.as_of(work.now).status == "awaiting_approval"
        return changed, grant if waits else None


async def _settle_request(
    context: Context,
    work: AuthUnitOfWork,
    admin_id: UUID,
    user: User,
    present: RoleGrant | None,
    waiting: tuple[str, ...],
    origin: Origin,
) -> RoleGrant | None:
    """What waits after this change: the roles that were named are all that the account is to have."""
    if present is not None and present.as_of(work.now).status == "awaiting_approval" and present.roles == waiting:
        return present
    if present is not None:
        await withdraw_request(work, present, admin_id, origin)
    return await ask_for_roles(context, work, admin_id, user, waiting, origin) if waiting else None


async def _refuse_without_administrator(work: AuthUnitOfWork, admin_id: UUID, user: User, changed: User) -> None:
    """Two administrators who remove each other at the same moment must not both succeed."""
    if not _administers(user) or _administers(changed):
        return
    await work.users.lock_administrators()
    actor = await work.users.find(admin_id)
    if actor is None or not _administers(actor):
        raise Forbidden("You are not an administrator any more.")
    if not await work.users.other_administrators(user.id):
        raise LastAdministrator("Make somebody else an administrator first.")


def _administers(user: User) -> bool:
    return user.active and "admin" in user.roles


async def _save(work: AuthUnitOfWork, admin_id: UUID, user: User, changed: User, origin: Origin) -> None:
    await work.users.save(changed)
    reason: EndReason | None = None
    if not changed.active and changed.status != user.status:
        reason = "closed" if changed.status == "closed" else "suspended"
    elif not set(user.roles) <= set(changed.roles):
        reason = "role_taken"
    if reason is not None:
        await end_sessions(work, user.id, reason=reason, origin=origin, actor_id=admin_id)
    publish_updated(work, changed)
    await work.audit(
        "user.changed",
        origin=origin,
        actor_id=admin_id,
        subject_id=user.id,
        before={"roles": list(user.roles), "status": user.status},
        after={"roles": list(changed.roles), "status": changed.status},
    )
