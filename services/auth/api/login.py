"""Logging in, staying logged in, logging out."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import Field

from services.auth.api.fields import GivenPassword, Secret
from services.auth.api.origin import RequestOrigin
from services.auth.commands import end_session as ending
from services.auth.commands import log_in as logging_in
from services.auth.commands import refresh_session as refreshing
from services.auth.commands.issue_tokens import Tokens
from services.auth.context import Ctx
from services.auth.domain.problems import SessionNotFound
from shared.http.schemas import Body, EmailAddress, View
from shared.problems import Unauthenticated

router = APIRouter(prefix="/v1/auth", tags=["login"])

_optional_bearer = HTTPBearer(
    auto_error=False, scheme_name="bearer", bearerFormat="JWT", description="`access_token` of POST /v1/auth/login"
)


class LogInBody(Body):
    """Who you are."""

    email: EmailAddress
    password: GivenPassword


class RefreshBody(Body):
    """The refresh token of the last answer."""

    refresh_token: Secret


class LogOutBody(Body):
    """Which session to end; without it the one of the access token."""

    refresh_token: Secret | None = None


class TokensView(View):
    """Tokens of a session. The refresh token works once; the next one comes with the answer."""

    access_token: str = Field(description="ES256 JWT; send it as `Authorization: Bearer …`")
    refresh_token: str = Field(description="For POST /v1/auth/refresh; keep it secret")
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in: int = Field(description="Seconds that the access token is good for", examples=[900])


def _view(tokens: Tokens, response: Response) -> TokensView:
    response.headers["Cache-Control"] = "no-store"
    return TokensView(access_token=tokens.access_token, refresh_token=tokens.refresh_token, expires_in=tokens.expires_in_seconds)


@router.post("/login")
async def log_in(body: LogInBody, context: Ctx, origin: RequestOrigin, response: Response) -> TokensView:
    """Open a session with an e-mail address and a password.

    After some wrong passwords the answer is 429 for a while; `Retry-After` says how long.
    """
    tokens = await logging_in.log_in(context, body.email, body.password.get_secret_value(), origin)
    return _view(tokens, response)


@router.post("/refresh")
async def refresh_tokens(body: RefreshBody, context: Ctx, origin: RequestOrigin, response: Response) -> TokensView:
    """Exchange the refresh token for new tokens.

    A token that was exchanged before ends its session (401 `refresh_token_reused`). Only for some seconds, and while the
    new token is unused, is the same answer given again, for clients that never got the first one.
    """
    return _view(await refreshing.refresh_session(context, body.refresh_token.get_secret_value(), origin), response)


@router.post("/logout", status_code=204)
async def log_out(
    request: Request,
    context: Ctx,
    origin: RequestOrigin,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_optional_bearer)],
    body: LogOutBody | None = None,
) -> None:
    """End the session of the access token, or the one of `refresh_token` when the access token has expired."""
    if body and body.refresh_token:
        await ending.end_session_of_token(context, body.refresh_token.get_secret_value(), origin)
    elif credentials is not None:
        principal = await request.app.state.authenticator.verify(credentials.credentials)
        if principal.session_id is None:
            raise SessionNotFound
        await ending.end_session(context, principal.user_id, principal.session_id, origin)
    else:
        raise Unauthenticated("Send the access token, or the refresh token in the body.", headers={"WWW-Authenticate": "Bearer"})
