"""Reads of role grants."""

from collections.abc import Sequence
from uuid import UUID

from services.auth.context import Context
from services.auth.domain.role_grant import RoleGrant
from services.auth.store.role_grants import RoleGrants
from shared.http.paging import PageRequest


async def list_role_grants(context: Context, page: PageRequest, status: str | None) -> Sequence[RoleGrant]:
    """Grants, newest first; one more than the page holds."""
    async with context.read() as connection:
        found = await RoleGrants(connection).page(status=status, after=page.after, count=page.fetch)
    return [grant.as_of(context.clock.now()) for grant in found]


async def open_role_grant(context: Context, user_id: UUID) -> RoleGrant | None:
    """What waits for a second administrator about this account."""
    async with context.read() as connection:
        grant = await RoleGrants(connection).open_of(user_id)
    return grant if grant and grant.as_of(context.clock.now()).status == "awaiting_approval" else None
