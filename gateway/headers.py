"""Which headers pass, in each direction, and which the edge adds.

Both directions are lists of what is allowed: whatever a client invents (`X-User-Id`, `X_Forwarded_For`, `Forwarded`), and
whatever a service lets slip, stops here because nobody named it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.problems import HeaderRepeated
from gateway.routing import Route
from shared.telemetry import trace

RawHeaders = Sequence[tuple[bytes, bytes]]

_REQUEST = frozenset(
    b"accept accept-encoding accept-language authorization content-type idempotency-key if-match if-modified-since "
    b"if-none-match last-event-id prefer tracestate user-agent x-csrf-token x-session-mode".split()
)
_ONCE = frozenset({b"authorization", b"content-type", b"content-length", b"idempotency-key", b"host"})
_SIGNED = re.compile(rb"[a-z0-9-]*(?:signature|hmac|-hash|-timestamp)[a-z0-9-]*|webhook-[a-z-]+|x-github-event|paypal-[a-z-]+")
"""Payment providers sign with headers of their own naming."""
_RESPONSE = frozenset(
    b"allow cache-control content-disposition content-encoding content-language content-length content-security-policy "
    b"content-type deprecation etag expires idempotent-replayed last-modified link location preference-applied "
    b"referrer-policy retry-after sunset vary www-authenticate x-accel-buffering".split()
)
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_NO_STORE = (b"cache-control", b"no-store")

_OWN_POLICIES = frozenset({b"content-security-policy", b"referrer-policy"})
_REFERRER = (b"referrer-policy", b"strict-origin-when-cross-origin")
_API_POLICIES = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    _REFERRER,
    (b"x-frame-options", b"DENY"),
)
_PAGE_POLICY = (
    b"default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    b"connect-src 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'self'"
)
_PAGE_POLICIES = ((b"content-security-policy", _PAGE_POLICY), _REFERRER, (b"x-frame-options", b"SAMEORIGIN"))


@dataclass(slots=True)
class RequestHeaders:
    """What of a client's headers matters: those that pass, and how its body is framed."""

    forward: list[tuple[bytes, bytes]]
    authorization: str | None
    content_length: int | None
    chunked: bool
    content_type: bytes = b""
    idempotency_key: str | None = None


def request_headers(raw: RawHeaders, route: Route) -> RequestHeaders:
    """Sort a client's headers. Raises `HeaderRepeated`, also for a body that is framed twice."""
    forward: list[tuple[bytes, bytes]] = []
    seen: list[bytes] = []
    found = RequestHeaders(forward, None, None, chunked=False)
    for pair in raw:
        name, value = pair
        if name in _ONCE:
            if name in seen:
                raise HeaderRepeated(f"Send {name.decode()} once.")
            seen.append(name)
        if name in _REQUEST or (name == b"cookie" and route.cookies) or (route.signed and _SIGNED.fullmatch(name)):
            forward.append(pair)
            if name == b"authorization":
                found.authorization = value.decode("latin-1")
            elif name == b"content-type":
                found.content_type = value
            elif name == b"idempotency-key":
                found.idempotency_key = value.decode("latin-1")
        elif name == b"content-length":
            found.content_length = int(value)
        elif name == b"transfer-encoding":
            found.chunked = True
        elif name == b"connection":
            _refuse_named(raw, value)
    if found.chunked and found.content_length is not None:
        raise HeaderRepeated("Send Content-Length or Transfer-Encoding, not both.")
    return found


def _refuse_named(raw: RawHeaders, connection: bytes) -> None:
    """Headers that the client names in `Connection` were meant for us alone (RFC 9110, 7.6.1), so those that would pass
    on cannot be named there: what reaches the service would not be what somebody before us has checked."""
    named = {word.strip().lower() for word in connection.split(b",")} - {b"keep-alive", b"close", b""}
    if named and any(name in named and (name in _REQUEST or name == b"cookie" or _SIGNED.fullmatch(name)) for name, _ in raw):
        raise HeaderRepeated("A header that the platform needs cannot be named in Connection.")


class Requests:
    """Writes the heads of requests to services. What the edge itself says about a request comes last."""

    def __init__(self, *, public_host: str, public_scheme: str) -> None:
        self._public = f"x-forwarded-proto: {public_scheme}\r\nx-forwarded-host: {public_host}\r\n\r\n".encode("ascii")

    def head(self, method: str, target: bytes, host: bytes, headers: RequestHeaders, *, address: str) -> bytes:
        """The head. Its body must be framed as `headers` say."""
        lines = [b"%b %b HTTP/1.1\r\nhost: %b" % (method.encode("ascii"), target, host), *map(b": ".join, headers.forward)]
        if headers.chunked:
            lines.append(b"transfer-encoding: chunked")
        elif headers.content_length is not None or method in _WITH_BODY:
            lines.append(b"content-length: %d" % (headers.content_length or 0))
        if request_id := trace.request_id():
            lines.append(b"x-request-id: " + request_id.encode("ascii"))
        own = f"x-forwarded-for: {address}\r\ntraceparent: {trace.current().traceparent}"
        lines += (own.encode("ascii"), self._public)
        return b"\r\n".join(lines)


def response_headers(raw: RawHeaders, route: Route) -> list[tuple[bytes, bytes]]:
    """Those of a service's headers that pass. An answer that does not say how long it keeps is not kept."""
    passed = []
    kept = False
    for pair in raw:
        name = pair[0]
        if name in _RESPONSE or (name == b"set-cookie" and route.cookies):
            passed.append(pair)
            kept = kept or name == b"cache-control"
    if not kept:
        passed.append((b"cache-control", route.cache.encode("ascii")) if route.cache else _NO_STORE)
    return passed


def security_headers(*, https: bool) -> Callable[[RawHeaders], RawHeaders]:
    """What to add, for browsers, to an answer with the given headers: the policies that fit, unless it has its own; pages may
    be framed by our own pages only."""
    always = [
        (b"x-content-type-options", b"nosniff"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    ]
    if https:
        always.append((b"strict-transport-security", b"max-age=63072000; includeSubDomains"))
    of_page, of_api = [*always, *_PAGE_POLICIES], [*always, *_API_POLICIES]

    def add(headers: RawHeaders) -> RawHeaders:
        known = dict(headers)
        more = of_page if known.get(b"content-type", b"").startswith(b"text/html") else of_api
        return more if _OWN_POLICIES.isdisjoint(known) else [pair for pair in more if pair[0] not in known]

    return add
