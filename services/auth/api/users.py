"""Accounts, as operators see them."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field, model_validator

from services.auth.api.callers import AdminCaller, SupportCaller
from services.auth.api.me import MeView, me_view
from services.auth.api.origin import RequestOrigin
from services.auth.api.role_grants import RoleGrantView
from services.auth.commands import change_user as changing
from services.auth.context import Context, Ctx
from services.auth.domain.kyc import KycStatus
from services.auth.domain.role_grant import RoleGrant
from services.auth.domain.user import Status, User
from services.auth.queries import users as queries
from services.auth.queries.role_grants import open_role_grant
from shared.http.paging import Page, Paging
from shared.http.schemas import Body, EmailAddress, Instant, View
from shared.identity import Role

router = APIRouter(prefix="/v1/admin/users", tags=["users"])


class UserView(View):
    """An account in the list of operators."""

    id: UUID
    email: str
    email_verified: bool
    full_name: str
    phone: str | None
    roles: list[str]
    status: Status
    kyc_status: KycStatus
    created_at: Instant


class OperatedUserView(MeView):
    """An account, with what waits for a second administrator."""

    role_grant: RoleGrantView | None = Field(
        None, description="Roles that were asked for, and that another administrator has to approve"
    )


class ChangeUserBody(Body):
    """What is to change; what is left out stays."""

    roles: list[Role] | None = Field(None, min_length=1, max_length=4, description="All roles that the account is to have")
    status: Literal["active", "suspended", "closed"] | None = None

    @model_validator(mode="after")
    def _needs_a_field(self) -> "ChangeUserBody":
        if self.roles is None and self.status is None:
            raise ValueError("give roles, status or both")
        return self


def _view(context: Context, user: User, kyc_status: str) -> UserView:
    return UserView.model_validate(
        {
            "id": user.id,
            "email": user.email,
            "email_verified": context.email_verified(user),
            "full_name": user.full_name,
            "phone": user.phone,
            "roles": list(user.roles),
            "status": user.status,
            "kyc_status": kyc_status,
            "created_at": user.created_at,
        }
    )


@router.get("")
async def list_users(
    context: Ctx,
    caller: SupportCaller,
    paging: Paging,
    email: Annotated[
        EmailAddress | None,
        Query(description="Exactly this whole address, in any case: addresses are stored sealed, so parts cannot be searched"),
    ] = None,
    role: Role | None = None,
    status: Status | None = None,
) -> Page[UserView]:
    """Accounts, newest first. Needs the role `support` or `admin`."""
    rows = await queries.list_users(context, paging, email=email, role=role, status=status)
    kyc_statuses = await queries.kyc_statuses_of(context, [user.id for user in rows])
    return paging.page(rows, lambda user: user.id, lambda user: _view(context, user, kyc_statuses[user.id]))


@router.get("/{user_id}")
async def get_user(user_id: UUID, context: Ctx, caller: SupportCaller) -> OperatedUserView:
    """An account. Needs the role `support` or `admin`."""
    user = await queries.find_user(context, user_id)
    return await _operated(context, user, await open_role_grant(context, user_id))


@router.patch("/{user_id}")
async def change_user(
    user_id: UUID, body: ChangeUserBody, context: Ctx, caller: AdminCaller, origin: RequestOrigin
) -> OperatedUserView:
    """Give or take roles, suspend, reopen or close an account. Nobody changes their own. Needs the role `admin`.

    Giving `support` or `admin` waits until another administrator approves it (`role_grant`, and `/v1/admin/role-grants`).
    Everything else is done at once: taking a role and suspending also end every session.
    """
    roles = tuple(sorted(set(body.roles))) if body.roles is not None else None
    user, grant = await changing.change_user(context, caller.id, user_id, roles=roles, status=body.status, origin=origin)
    return await _operated(context, user, grant)


async def _operated(context: Context, user: User, grant: RoleGrant | None) -> OperatedUserView:
    view = await me_view(context, user)
    return OperatedUserView(**view.model_dump(), role_grant=RoleGrantView.model_validate(grant) if grant else None)
