"""Which headers pass, in each direction, and which the edge adds.

Both directions are lists of what is allowed: whatever a client invents (`X-User-Id`, `X_Forwarded_For`, `Forwarded`), and
whatever a service lets slip, stops here because nobody named it.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from multidict import CIMultiDict
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.problems import HeaderRepeated
from gateway.routing import Route
from shared.telemetry import trace

RawHeaders = Sequence[tuple[bytes, bytes]]

_REQUEST = frozenset(
    b"accept accept-encoding accept-language authorization content-type idempotency-key if-match if-modified-since "
    b"if-none-match last-event-id prefer tracestate user-agent x-csrf-token".split()
)
_ONCE = frozenset({b"authorization", b"content-type", b"content-length", b"idempotency-key", b"host"})
_SIGNED = re.compile(rb"[a-z0-9-]*(?:signature|hmac|-hash|-timestamp)[a-z0-9-]*|webhook-[a-z-]+|x-github-event|paypal-[a-z-]+")
"""Payment providers sign with headers of their own naming."""
_RESPONSE = frozenset(
    b"allow cache-control content-disposition content-encoding content-language content-length content-security-policy "
    b"content-type deprecation etag expires idempotent-replayed last-modified link location preference-applied "
    b"referrer-policy retry-after sunset vary www-authenticate x-accel-buffering".split()
)
_NO_STORE = (b"cache-control", b"no-store")

_API_POLICY = b"default-src 'none'; frame-ancestors 'none'"
_PAGE_POLICY = (
    b"default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    b"connect-src 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'self'"
)


@dataclass(frozen=True)
class RequestHeaders:
    """What of a client's headers matters: those that pass, and how its body is framed."""

    forward: CIMultiDict[str]
    authorization: str | None
    content_length: int | None
    chunked: bool


def request_headers(raw: RawHeaders, route: Route) -> RequestHeaders:
    """Sort a client's headers. Raises `HeaderRepeated`, also for a body that is framed twice."""
    forward: CIMultiDict[str] = CIMultiDict()
    seen: set[bytes] = set()
    authorization: str | None = None
    content_length: int | None = None
    chunked = False
    for name, value in raw:
        if name in _ONCE:
            if name in seen:
                raise HeaderRepeated(f"Send {name.decode()} once.")
            seen.add(name)
        if name in _REQUEST or (name == b"cookie" and route.cookies) or (route.signed and _SIGNED.fullmatch(name)):
            text = value.decode("utf-8", "replace")
            forward.add(name.decode("ascii"), text)
            if name == b"authorization":
                authorization = text
        elif name == b"content-length":
            content_length = int(value)
        elif name == b"transfer-encoding":
            chunked = True
        elif name == b"connection":
            _drop_named(raw, value, forward)
    if chunked and content_length is not None:
        raise HeaderRepeated("Send Content-Length or Transfer-Encoding, not both.")
    return RequestHeaders(forward, authorization, content_length, chunked)


def _drop_named(raw: RawHeaders, connection: bytes, forward: CIMultiDict[str]) -> None:
    """Headers that the client names in `Connection` were meant for us alone (RFC 9110, 7.6.1)."""
    named = {word.strip().lower() for word in connection.split(b",")} - {b"keep-alive", b"close", b""}
    if any(name in named and name in _REQUEST for name, _ in raw):
        raise HeaderRepeated("A header that the platform needs cannot be named in Connection.")
    for name in named:
        forward.popall(name.decode("latin-1"), None)


def add_own(forward: CIMultiDict[str], *, address: str, public_host: str, public_scheme: str) -> None:
    """What the edge itself says about the request: where it came from, and which request it is."""
    forward["X-Forwarded-For"] = address
    forward["X-Forwarded-Proto"] = public_scheme
    forward["X-Forwarded-Host"] = public_host
    forward["traceparent"] = trace.current().traceparent
    if request_id := trace.request_id():
        forward["X-Request-Id"] = request_id


def response_headers(raw: Iterable[tuple[bytes, bytes]], route: Route) -> list[tuple[bytes, bytes]]:
    """Those of a service's headers that pass. An answer that does not say how long it keeps is not kept."""
    passed = []
    kept = False
    for name, value in raw:
        lower = name.lower()
        if lower in _RESPONSE or (lower == b"set-cookie" and route.cookies):
            passed.append((lower, value))
            kept = kept or lower == b"cache-control"
    if not kept:
        passed.append(_NO_STORE)
    return passed


class SecurityHeaders:
    """ASGI layer that adds to every answer what browsers must know."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._always: list[tuple[bytes, bytes]] = [
            (b"x-content-type-options", b"nosniff"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
        ]
        if https:
            self._always.append((b"strict-transport-security", b"max-age=63072000; includeSubDomains"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self._always, *_policy(message.get("headers", ()))]
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _policy(headers: RawHeaders) -> Iterable[tuple[bytes, bytes]]:
    """The policies that fit, unless the answer has its own; pages may be framed by our own pages only."""
    found = {name.lower(): value for name, value in headers}
    page = found.get(b"content-type", b"").startswith(b"text/html")
    if b"content-security-policy" not in found:
        yield b"content-security-policy", _PAGE_POLICY if page else _API_POLICY
    if b"referrer-policy" not in found:
        yield b"referrer-policy", b"strict-origin-when-cross-origin"
    yield b"x-frame-options", b"SAMEORIGIN" if page else b"DENY"
