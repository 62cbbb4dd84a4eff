"""Endpoint parameters that say who is calling. Every service verifies the token itself."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from shared.identity.authenticator import Authenticator
from shared.identity.principal import Principal, Role
from shared.identity.step_up import refuse_without_step_up
from shared.problems import Forbidden, Unauthenticated
from shared.problems.common import EmailUnverified

_bearer = HTTPBearer(
    auto_error=False, scheme_name="bearer", bearerFormat="JWT", description="`access_token` of POST /v1/auth/login"
)


async def _principal(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    if credentials is None:
        raise Unauthenticated("Send the access token as `Authorization: Bearer …`.", headers={"WWW-Authenticate": "Bearer"})
    authenticator: Authenticator = request.app.state.authenticator
    return await authenticator.verify(credentials.credentials)


CurrentUser = Annotated[Principal, Depends(_principal)]
"""Endpoint parameter: the caller, whoever it is."""


async def _verified(principal: CurrentUser) -> Principal:
    if not principal.email_verified:
        raise EmailUnverified(
            "Open the link in the message we sent to your e-mail address, then log in again or refresh your token."
        )
    return principal


VerifiedUser = Annotated[Principal, Depends(_verified)]
"""Endpoint parameter: a caller whose e-mail address is confirmed; needed to move money out, lend and borrow."""


async def require_step_up(principal: CurrentUser) -> Principal:
    """A dependency that lets in only a caller who proved lately to be there.

    Token times are measured by the machine's clock, as their end is.
    """
    refuse_without_step_up(principal, datetime.now(UTC))
    return principal


SteppedUpUser = Annotated[Principal, Depends(require_step_up)]
"""Endpoint parameter: a caller with a second factor given in the last 10 minutes or, without one, a login; else 401
`step_up_required`. For what a stolen token must not do."""


def require_role(*roles: Role) -> Callable[..., Awaitable[Principal]]:
    """A dependency that lets in only callers with one of `roles`."""

    async def check(principal: CurrentUser) -> Principal:
        if not principal.has_role(*roles):
            raise Forbidden(f"This needs the role {' or '.join(roles)}. Ask an administrator.")
        return principal

    return check


Admin = Annotated[Principal, Depends(require_role("admin"))]
"""Endpoint parameter: an administrator."""
Support = Annotated[Principal, Depends(require_role("support", "admin"))]
"""Endpoint parameter: somebody of support, or an administrator."""
