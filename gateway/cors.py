"""Pages of other origins: which may call, and what their browsers' questions beforehand cost."""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.addresses import client_address
from gateway.admission import Admission, Quota
from gateway.edge import Edge
from shared.http.errors import problem_response
from shared.problems import RateLimited

_REQUEST = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "Prefer",
    "X-CSRF-Token",
    "X-Request-Id",
    "X-Session-Mode",
    "traceparent",
)
_ANSWER = (
    "ETag",
    "Idempotent-Replayed",
    "Location",
    "Preference-Applied",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-Id",
)
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_KEPT_SECONDS = 600


class Cors(CORSMiddleware):
    """Lets pages of the configured origins call. A preflight is answered here, so it is counted here, apart from the visitors
    of our own pages."""

    def __init__(self, app: ASGIApp, *, edge: Edge) -> None:
        super().__init__(
            app,
            allow_origins=edge.settings.cors_origins,
            allow_credentials=True,
            allow_methods=_METHODS,
            allow_headers=_REQUEST,
            expose_headers=_ANSWER,
            max_age=_KEPT_SECONDS,
        )
        self._edge = edge
        self._admission = Admission(edge)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not _is_preflight(scope):
            await super().__call__(scope, receive, send)
            return
        address = client_address(scope, self._edge.settings.trusted_proxies)
        quota: Quota = []
        scope["quota"] = quota
        try:
            self._admission.count_visitor(self._edge.table, address, quota)
        except RateLimited as problem:
            await problem_response(problem)(scope, receive, send)
            return
        await super().__call__(scope, receive, send)


def _is_preflight(scope: Scope) -> bool:
    if scope["method"] != "OPTIONS":
        return False
    names = {name for name, _ in scope["headers"]}
    return {b"origin", b"access-control-request-method"} <= names
