"""Logging in, staying logged in, logging out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.auth.api.fields import GivenPassword, Secret
from services.auth.api.origin import LoginOrigin, RequestOrigin
from services.auth.api.second_step import MfaRequiredView, mfa_required_view
from services.auth.api.session_answer import CsrfToken, RefreshCookie, SessionView, clear_cookies, session_answer
from services.auth.commands import end_session as ending
from services.auth.commands import log_in as logging_in
from services.auth.commands import refresh_session as refreshing
from services.auth.commands.exchange import Exchange
from services.auth.commands.finish_login import SecondStep
from services.auth.context import Ctx
from services.auth.domain.problems import SessionNotFound
from shared.http.schemas import Body, EmailAddress
from shared.problems import FieldError, InvalidRequest, Unauthenticated

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


@router.post("/login")
async def log_in(body: LogInBody, context: Ctx, origin: LoginOrigin, response: Response) -> SessionView | MfaRequiredView:
    """Open a session with an e-mail address and a password.

    Where the account has a second factor, the answer has `mfa_required` and no tokens: go on with POST /v1/auth/login/mfa.

    With the header `X-Session-Mode: cookie`, for browsers, the tokens come as cookies that no script can read, and the answer
    has a CSRF token instead, to be sent as `X-CSRF-Token` with every request that changes something.

    After some wrong passwords the answer is 429 for a while; `Retry-After` says how long.
    """
    outcome = await logging_in.log_in(context, body.email, body.password.get_secret_value(), origin)
    if isinstance(outcome, SecondStep):
        response.headers["Cache-Control"] = "no-store"
        return mfa_required_view(outcome)
    return session_answer(context, outcome, response)


@router.post("/refresh")
async def refresh_tokens(
    context: Ctx,
    origin: RequestOrigin,
    response: Response,
    refresh_cookie: RefreshCookie,
    csrf_token: CsrfToken = None,
    body: RefreshBody | None = None,
) -> SessionView:
    """Exchange the refresh token for new tokens. A session in cookies needs no body, but its `X-CSRF-Token`.

    A token that was exchanged before ends its session (401 `refresh_token_reused`). Only for some seconds, and while the
    new token is unused, is the same answer given again, for clients that never got the first one.
    """
    if body is not None:
        exchange = Exchange(body.refresh_token.get_secret_value())
    elif refresh_cookie is not None:
        exchange = Exchange(refresh_cookie, "cookie", csrf_token)
    else:
        raise InvalidRequest("Send the refresh token.", errors=[FieldError("refresh_token", "Field required")])
    return session_answer(context, await refreshing.refresh_session(context, exchange, origin), response)


@router.post("/logout", status_code=204)
async def log_out(
    request: Request,
    response: Response,
    context: Ctx,
    origin: RequestOrigin,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_optional_bearer)],
    refresh_cookie: RefreshCookie,
    csrf_token: CsrfToken = None,
    body: LogOutBody | None = None,
) -> None:
    """End the session of the access token, or the one of `refresh_token` when the access token has expired.

    A session in cookies is ended by its cookies and its `X-CSRF-Token`; the browser is told to forget the cookies.
    """
    clear_cookies(context, request, response)
    if body and body.refresh_token:
        await ending.end_session_of_token(context, Exchange(body.refresh_token.get_secret_value()), origin)
    elif credentials is not None:
        principal = await request.app.state.authenticator.verify(credentials.credentials)
        if principal.session_id is None:
            raise SessionNotFound
        await ending.end_session(context, principal.user_id, principal.session_id, origin)
    elif refresh_cookie is not None:
        await ending.end_session_of_token(context, Exchange(refresh_cookie, "cookie", csrf_token), origin)
    else:
        raise Unauthenticated("Send the access token, or the refresh token in the body.", headers={"WWW-Authenticate": "Bearer"})
