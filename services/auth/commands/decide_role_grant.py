"""Approve or decline roles that another administrator asked for; let requests that nobody decides expire."""

from uuid import UUID

from services.auth.commands.tell_user import publish_updated
from services.auth.context import Context
from services.auth.domain.origin import SYSTEM, Origin
from services.auth.domain.problems import RoleGrantDecided, RoleGrantNotFound, UserNotFound
from services.auth.domain.role_grant import RoleGrant
from services.auth.domain.user import User
from services.auth.store.unit_of_work import AuthUnitOfWork

_EXPIRE_AT_ONCE = 100


async def approve_role_grant(context: Context, admin_id: UUID, grant_id: UUID, origin: Origin) -> RoleGrant:
    """The approved grant, whose roles the account has now; approving it again changes nothing.

    Raises `RoleGrantNotFound`, `SecondPersonRequired` or `RoleGrantDecided`.
    """
    async with context.unit_of_work() as work:
        grant, user = await _find(work, grant_id)
        approved = grant.approve(admin_id, work.now)
        if approved == grant:
            return grant
        requester = await work.users.find(grant.requested_by)
        if requester is None or not requester.active or "admin" not in requester.roles:
            raise RoleGrantDecided("Who asked for it is not an administrator any more. Decline it, and ask again yourself.")
        if not user.active:
            raise RoleGrantDecided("The account is not active any more. Decline it.")
        await work.role_grants.save(approved)
        changed = user.with_roles(tuple(sorted({*user.roles, *approved.roles})), work.now)
        await work.users.save(changed)
        publish_updated(work, changed)
        await _audit(work, grant, approved, admin_id, origin)
        await work.audit(
            "user.changed",
            origin=origin,
            actor_id=admin_id,
            subject_id=user.id,
            before={"roles": list(user.roles), "status": user.status},
            after={"roles": list(changed.roles), "status": changed.status},
        )
        return approved


async def decline_role_grant(context: Context, admin_id: UUID, grant_id: UUID, reason: str | None, origin: Origin) -> RoleGrant:
    """The declined grant; declining it again changes nothing. Raises `RoleGrantNotFound` or `RoleGrantDecided`."""
    async with context.unit_of_work() as work:
        grant, _ = await _find(work, grant_id)
        declined = grant.decline(admin_id, reason, work.now)
        if declined == grant:
            return grant
        await work.role_grants.save(declined)
        await _audit(work, grant, declined, admin_id, origin)
        return declined


async def expire_role_grants(context: Context) -> None:
    """Close requests whose time is over."""
    async with context.unit_of_work() as work:
        for grant in await work.role_grants.overdue(work.now, count=_EXPIRE_AT_ONCE):
            expired = grant.as_of(work.now)
            await work.role_grants.save(expired)
            await _audit(work, grant, expired, None, SYSTEM)


async def _find(work: AuthUnitOfWork, grant_id: UUID) -> tuple[RoleGrant, User]:
    """The grant and its account, both locked: the account first, as whoever changes an account does."""
    seen = await work.role_grants.find(grant_id)
    user = await work.users.find(seen.user_id, lock=True) if seen else None
    grant = await work.role_grants.find(grant_id, lock=True) if user else None
    if grant is None:
        raise RoleGrantNotFound("Look at the list of role grants.")
    if user is None:
        raise UserNotFound
    return grant, user


async def _audit(work: AuthUnitOfWork, before: RoleGrant, after: RoleGrant, admin_id: UUID | None, origin: Origin) -> None:
    await work.audit(
        f"role_grant.{after.status}",
        origin=origin,
        actor_id=admin_id,
        subject_id=after.id,
        before={"status": before.status},
        after={"status": after.status, "user_id": str(after.user_id), "roles": list(after.roles), "reason": after.reason},
    )
