"""Roles of operators, which two administrators give together."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from services.auth.api.callers import AdminCaller
from services.auth.api.origin import RequestOrigin
from services.auth.commands import decide_role_grant as deciding
from services.auth.context import Ctx
from services.auth.domain.role_grant import GrantStatus
from services.auth.queries.role_grants import list_role_grants as list_grants
from shared.http.paging import Page, Paging
from shared.http.schemas import Body, Instant, LongText, View

router = APIRouter(prefix="/v1/admin/role-grants", tags=["users"])


class RoleGrantView(View):
    """Roles that one administrator asked for, and what another one decided."""

    id: UUID
    user_id: UUID = Field(description="Who is to have the roles")
    roles: list[str] = Field(description="The roles to be added")
    status: GrantStatus
    requested_by: UUID
    requested_at: Instant
    expires_at: Instant = Field(description="When it is void unless somebody has decided")
    decided_by: UUID | None
    decided_at: Instant | None
    reason: str | None


class DeclineRoleGrantBody(Body):
    """Why, for the record."""

    reason: LongText | None = None


@router.get("")
async def list_role_grants(
    context: Ctx,
    caller: AdminCaller,
    paging: Paging,
    status: Annotated[GrantStatus | None, Query(description="Only these")] = None,
) -> Page[RoleGrantView]:
    """Requests for roles of operators, newest first. Needs the role `admin`."""
    rows = await list_grants(context, paging, status)
    return paging.page(rows, lambda grant: grant.id, RoleGrantView.model_validate)


@router.post("/{grant_id}/approve")
async def approve_role_grant(grant_id: UUID, context: Ctx, caller: AdminCaller, origin: RequestOrigin) -> RoleGrantView:
    """Give the roles. Neither who asked for them nor who gets them can. Needs the role `admin`.

    They are in the person's access tokens from the next refresh on.
    """
    return RoleGrantView.model_validate(await deciding.approve_role_grant(context, caller.id, grant_id, origin))


@router.post("/{grant_id}/decline")
async def decline_role_grant(
    grant_id: UUID, context: Ctx, caller: AdminCaller, origin: RequestOrigin, body: DeclineRoleGrantBody | None = None
) -> RoleGrantView:
    """Refuse the roles; who asked for them can take the request back so. Needs the role `admin`."""
    reason = body.reason if body else None
    return RoleGrantView.model_validate(await deciding.decline_role_grant(context, caller.id, grant_id, reason, origin))
