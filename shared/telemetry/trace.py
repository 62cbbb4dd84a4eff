"""The trace that the present work belongs to, carried as W3C trace context through HTTP and messages.

https://www.w3.org/TR/trace-context/ ; parsing is OpenTelemetry's, so an exporter can be added without changing callers.
"""

import secrets
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Trace:
    """One span of a trace: 32 and 16 lower-case hex digits."""

    trace_id: str
    span_id: str
    sampled: bool = True

    @property
    def traceparent(self) -> str:
        """The header value that continues this trace elsewhere."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)
_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
_client_address: ContextVar[str | None] = ContextVar("client_address", default=None)


def parse(traceparent: str | None) -> Trace | None:
    """The trace named by a `traceparent` header, or None when it is absent or malformed."""
    if not traceparent:
        return None
    from opentelemetry import trace as otel
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    extracted = TraceContextTextMapPropagator().extract({"traceparent": traceparent})
    span = otel.get_current_span(extracted).get_span_context()
    if not span.is_valid:
        return None
    return Trace(f"{span.trace_id:032x}", f"{span.span_id:016x}", bool(span.trace_flags.sampled))


def child_of(parent: Trace | None) -> Trace:
    """A new span: of the parent's trace, or of a new one."""
    trace_id = parent.trace_id if parent else secrets.token_hex(16)
    return Trace(trace_id, secrets.token_hex(8), parent.sampled if parent else True)


def current() -> Trace:
    """The span of the present work; a new trace outside any."""
    found = _current.get()
    if found is None:
        found = child_of(None)
        _current.set(found)
    return found


def request_id() -> str | None:
    """The id of the HTTP request being answered, if any."""
    return _request_id.get()


def client_address() -> str | None:
    """The network address of who sent the HTTP request being answered, if any."""
    return _client_address.get()


@contextmanager
def span(traceparent: str | None, *, request: str | None = None, address: str | None = None) -> "Iterator[Trace]":
    """Work under a new span that continues `traceparent` (or starts a trace)."""
    entered = child_of(parse(traceparent))
    token, request_token, address_token = _current.set(entered), _request_id.set(request), _client_address.set(address)
    try:
        yield entered
    finally:
        _current.reset(token)
        _request_id.reset(request_token)
        _client_address.reset(address_token)
