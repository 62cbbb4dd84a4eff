"""How a client gets a session: tokens in the answer, or, for browsers, cookies that no script can read.

`X-Session-Mode: cookie` at the login asks for cookies. Another site cannot send that header, so it cannot log anybody in.
"""

from typing import Annotated, Literal

from fastapi import Depends, Header, Request, Response
from pydantic import Field

from services.auth.commands.issue_tokens import Tokens
from services.auth.context import Context, Ctx
from shared.http.schemas import View
from shared.identity.cookies import CSRF_HEADER, CookieNames, cookie_names


class TokensView(View):
    """Tokens of a session. The refresh token works once; the next one comes with the answer."""

    access_token: str = Field(description="ES256 JWT; send it as `Authorization: Bearer …`")
    refresh_token: str = Field(description="For POST /v1/auth/refresh; keep it secret")
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in: int = Field(description="Seconds that the access token is good for", examples=[900])


class CookieSessionView(View):
    """A session in cookies, for browsers: nothing in it is a secret that opens the account."""

    token_type: Literal["Cookie"] = "Cookie"  # noqa: S105
    csrf_token: str = Field(description="Send it as `X-CSRF-Token` with every request that is not a GET; also in a cookie")
    expires_in: int = Field(description="Seconds until POST /v1/auth/refresh is due", examples=[900])


SessionView = TokensView | CookieSessionView
"""The answer to a login or a refresh, whatever the way in."""


def session_answer(context: Context, tokens: Tokens, response: Response) -> SessionView:
    """The answer that gives the client its session; sets the cookies, if it is one of cookies."""
    response.headers["Cache-Control"] = "no-store"
    if tokens.csrf_token is None:
        return TokensView(
            access_token=tokens.access_token, refresh_token=tokens.refresh_token, expires_in=tokens.expires_in_seconds
        )
    names = _names(context)
    for name, value in ((names.access, tokens.access_token), (names.refresh, tokens.refresh_token)):
        _set(response, names, name, value, max_age_seconds=tokens.session_seconds, script=False)
    _set(response, names, names.csrf, tokens.csrf_token, max_age_seconds=tokens.session_seconds, script=True)
    return CookieSessionView(csrf_token=tokens.csrf_token, expires_in=tokens.expires_in_seconds)


def clear_cookies(context: Context, request: Request, response: Response) -> None:
    """Make the browser forget the session's cookies, if it has any."""
    names = _names(context)
    for name in names.all:
        if name in request.cookies:
            _set(response, names, name, "", max_age_seconds=0, script=name == names.csrf)


def _set(response: Response, names: CookieNames, name: str, value: str, *, max_age_seconds: int, script: bool) -> None:
    """`script`: whether scripts of our own pages may read it. Other sites' requests never carry any of them."""
    response.set_cookie(
        name, value, max_age=max_age_seconds, path="/", secure=names.secure, httponly=not script, samesite="strict"
    )


def _names(context: Context) -> CookieNames:
    return cookie_names(context.settings.public_url)


async def _refresh_cookie(request: Request, context: Ctx) -> str | None:
    return request.cookies.get(_names(context).refresh)


RefreshCookie = Annotated[str | None, Depends(_refresh_cookie)]
"""Endpoint parameter: the refresh token of a session in cookies."""
CsrfToken = Annotated[
    str | None, Header(alias=CSRF_HEADER, max_length=200, description="`csrf_token` of the session, when it came by cookie")
]
"""Endpoint parameter: what shows that a page of ours sent the request."""
