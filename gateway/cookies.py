"""Sessions of browsers at the edge: the cookie becomes a bearer token for the services, if a page of ours sent the request.

A browser adds its cookies to whatever any site makes it send, so where something changes two things are asked for: the
session's CSRF token, which no other site can read or send, and that the browser does not name another site as the sender.
The second alone protects the ways in (login, registration, links in e-mails), where there is no session yet: nobody is
logged in to an account by somebody else's page.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.types import Scope

from gateway.headers import RequestHeaders
from shared.identity import Principal
from shared.identity.authenticator import Authenticator
from shared.identity.cookies import CSRF_HEADER, cookie_names, cookie_value, csrf_matches
from shared.problems import Unauthenticated
from shared.problems.common import CsrfFailed

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES = frozenset({"same-origin", "none"})  # `none`: the person did it, with the address bar or a bookmark
_CSRF_HEADER = CSRF_HEADER.lower().encode()


class CookieSessions:
    """What the edge makes of cookies. `origins` may send requests besides our own pages."""

    def __init__(self, authenticator: Authenticator, *, public_url: str, origins: Iterable[str], production: bool) -> None:
        parts = urlsplit(public_url)
        self._authenticator = authenticator
        self._names = cookie_names(public_url)
        self._production = production
        self._scheme = parts.scheme
        self._others = frozenset(origins)
        self._origins = self._others | {f"{parts.scheme}://{parts.netloc}"}

    def token(self, scope: Scope) -> str | None:
        """The access token of the request's session cookie."""
        return cookie_value(scope["headers"], self._names.access)

    def check(self, scope: Scope, principal: Principal) -> None:
        """Raises `CsrfFailed` unless the request, which came by cookie for `principal`, is harmless or from our pages."""
        if principal.csrf is None:
            raise Unauthenticated("This access token is not one for cookies. Send it as `Authorization: Bearer …`.")
        if scope["method"] in SAFE_METHODS:
            return
        self.check_sender(scope)
        if not csrf_matches(_header(scope, _CSRF_HEADER), principal.csrf):
            raise CsrfFailed("Send the session's CSRF token as `X-CSRF-Token`. It came with the login, and a cookie holds it.")

    def check_sender(self, scope: Scope) -> None:
        """Raises `CsrfFailed` for a change that, as the browser says, another site's page asks for.

        What is no browser says nothing, and is let through: it has no cookies but its own.
        """
        if scope["method"] in SAFE_METHODS:
            return
        origin, site = _header(scope, b"origin"), _header(scope, b"sec-fetch-site")
        if site is not None:
            fine = site in _OWN_SITES or origin in self._others
        else:
            fine = origin is None or origin in self._origins or self._is_own_host(scope, origin)
        if not fine:
            raise CsrfFailed("Another site's page sent this. Go to Lendery itself, and try again there.")

    def admit(self, scope: Scope, headers: RequestHeaders, token: str, principal: Principal) -> None:
        """Hand the token of a cookie on as a bearer token. Raises `CsrfFailed` for what a page of ours did not send."""
        self.check(scope, principal)
        headers.forward.append((b"authorization", b"Bearer " + token.encode("latin-1")))

    async def recognise(self, scope: Scope, headers: RequestHeaders) -> None:
        """On a route that is open to all, name the person to the service if the cookies, with what belongs to them, are good."""
        token = self.token(scope)
        if headers.authorization is not None or token is None:
            return
        try:
            self.admit(scope, headers, token, await self._authenticator.verify(token))
        except (Unauthenticated, CsrfFailed):
            return  # a session that is over, or not shown to be meant: the service sees nobody in particular

    def _is_own_host(self, scope: Scope, origin: str) -> bool:
        """On a laptop the same platform has several names: localhost, 127.0.0.1."""
        return not self._production and origin == f"{self._scheme}://{_header(scope, b'host')}"


def _header(scope: Scope, name: bytes) -> str | None:
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return None
