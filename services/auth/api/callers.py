"""Endpoint parameters that say who is calling, checked against the session itself and not only its token."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.auth.context import Ctx
from services.auth.domain.problems import SessionEnded
from services.auth.domain.user import User
from services.auth.queries.users import find_caller
from shared.http.auth import CurrentUser
from shared.identity import Role
from shared.problems import Forbidden


@dataclass(frozen=True)
class SessionUser:
    """The account that is calling, as it is now, and the session it calls in."""

    user: User
    session_id: UUID

    @property
    def id(self) -> UUID:
        """The id of the account."""
        return self.user.id


async def _caller(principal: CurrentUser, context: Ctx) -> SessionUser:
    if principal.session_id is None:
        raise SessionEnded("This needs a person who is logged in.")
    return SessionUser(await find_caller(context, principal.user_id, principal.session_id), principal.session_id)


Caller = Annotated[SessionUser, Depends(_caller)]
"""Endpoint parameter: somebody whose session lives and whose account is active."""


def _refuse_without(caller: SessionUser, *roles: Role) -> SessionUser:
    if not set(roles) & set(caller.user.roles):
        raise Forbidden(f"This needs the role {' or '.join(roles)}. Ask an administrator.")
    return caller


async def _admin(caller: Caller) -> SessionUser:
    return _refuse_without(caller, "admin")


async def _reviewer(caller: Caller) -> SessionUser:
    return _refuse_without(caller, "support", "admin")


AdminCaller = Annotated[SessionUser, Depends(_admin)]
"""Endpoint parameter: an administrator, as of now."""
SupportCaller = Annotated[SessionUser, Depends(_reviewer)]
"""Endpoint parameter: somebody of support, or an administrator, as of now."""
