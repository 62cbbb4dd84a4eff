"""The trace that the present work belongs to, carried as W3C trace context through HTTP and messages.

https://www.w3.org/TR/trace-context/
"""

import re
from collections.abc import Callable
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from random import getrandbits
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# A later version may have more after the flags; version 00 has not, and ff is none.
_TRACEPARENT = re.compile(
    r"(?:00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})|(?!00|ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?)"
)
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16


@dataclass(frozen=True, slots=True)
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
_client_address: ContextVar[Callable[[], str | None] | None] = ContextVar("client_address", default=None)


def parse(traceparent: str | None) -> Trace | None:
    """The trace named by a `traceparent` header, or None when it is absent or malformed."""
    if not traceparent:
        return None
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None:
        return None
    trace_id, span_id, flags = [part for part in found.groups() if part is not None]
    if trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return None
    return Trace(trace_id, span_id, bool(int(flags, 16) & 1))


def child_of(parent: Trace | None) -> Trace:
    """A new span: of the parent's trace, or of a new one. Ids tell spans apart and guard nothing: any random will do."""
    span_id = f"{getrandbits(64) or 1:016x}"
    return Trace(parent.trace_id, span_id, parent.sampled) if parent else Trace(f"{getrandbits(128) or 1:032x}", span_id)


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
    ask = _client_address.get()
    return ask() if ask is not None else None


@contextmanager
def span(
    traceparent: str | None, *, request: str | None = None, address: Callable[[], str | None] | None = None
) -> "Iterator[Trace]":
    """Work under a new span that continues `traceparent` (or starts a trace). `address` is asked when somebody wants to know."""
    entered = child_of(parse(traceparent))
    token, request_token, address_token = _current.set(entered), _request_id.set(request), _client_address.set(address)
    try:
        yield entered
    finally:
        _current.reset(token)
        _request_id.reset(request_token)
        _client_address.reset(address_token)
