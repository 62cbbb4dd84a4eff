"""Endpoint parameters that say who is calling, checked against the session itself and not only its token."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from services.auth.context import Ctx
from services.auth.domain.problems import SessionEnded
from services.auth.domain.user import User
from services.auth.queries.factors import missing_proof
from services.auth.queries.users import find_caller
from shared.http.auth import CurrentUser
from shared.identity import Role, step_up_required
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


async def _stepped_up(caller: Caller, context: Ctx) -> SessionUser:
    methods = await missing_proof(context, caller.user, caller.session_id)
    if methods is not None:
        raise step_up_required(methods)
    return caller


SteppedUpCaller = Annotated[SessionUser, Depends(_stepped_up)]
"""Endpoint parameter: a caller who proved in the last 10 minutes to be there, as the session and not the token says."""


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


async def _stepped_up_admin(caller: AdminCaller, context: Ctx) -> SessionUser:
    return await _stepped_up(caller, context)


async def _stepped_up_reviewer(caller: SupportCaller, context: Ctx) -> SessionUser:
    return await _stepped_up(caller, context)


SteppedUpAdmin = Annotated[SessionUser, Depends(_stepped_up_admin)]
"""Endpoint parameter: an administrator who proved in the last 10 minutes to be there."""
SteppedUpSupport = Annotated[SessionUser, Depends(_stepped_up_reviewer)]
"""Endpoint parameter: somebody of support, or an administrator, who proved in the last 10 minutes to be there."""
