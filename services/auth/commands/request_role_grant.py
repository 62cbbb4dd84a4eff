"""Ask a second administrator for a role of operators, or take the request back. Part of a change of an account."""

from datetime import timedelta
from uuid import UUID

from services.auth.context import Context
from services.auth.domain.origin import Origin
from services.auth.domain.role_grant import RoleGrant
from services.auth.domain.user import User
from services.auth.store.unit_of_work import AuthUnitOfWork
from shared.ids import new_id


async def ask_for_roles(
    context: Context, work: AuthUnitOfWork, admin_id: UUID, user: User, roles: tuple[str, ...], origin: Origin
) -> RoleGrant:
    """The request, waiting for somebody else. The account is locked, and has no other request."""
    grant = RoleGrant(
        id=new_id(),
        user_id=user.id,
        roles=roles,
        status="awaiting_approval",
        requested_by=admin_id,
        requested_at=work.now,
        expires_at=work.now + timedelta(hours=context.settings.auth_role_grant_hours),
    )
    await work.role_grants.add(grant)
    await work.audit(
        "role_grant.requested",
        origin=origin,
        actor_id=admin_id,
        subject_id=grant.id,
        after={"user_id": str(user.id), "roles": list(roles)},
    )
    return grant


async def withdraw_request(work: AuthUnitOfWork, grant: RoleGrant, admin_id: UUID, origin: Origin) -> None:
    """End a request that a later change of the account makes void."""
    ended = grant.as_of(work.now)
    if ended.status == "awaiting_approval":
        ended = ended.decline(admin_id, "The account was changed in another way meanwhile.", work.now)
    await work.role_grants.save(ended)
    await work.audit(
        f"role_grant.{ended.status}",
        origin=origin,
        actor_id=admin_id,
        subject_id=grant.id,
        before={"status": "awaiting_approval"},
        after={"status": ended.status},
    )
