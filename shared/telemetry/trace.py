"""The trace that the present work belongs to, carried as W3C trace context through HTTP and messages.

https://www.w3.org/TR/trace-context/
"""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar, Token
from random import getrandbits
from typing import NamedTuple

# A later version may have more after the flags; version 00 has not, and ff is none.
_TRACEPARENT = re.compile(
    r"(?:00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})|(?!00|ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?)"
)
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16


class Trace(NamedTuple):
    """One span of a trace: 32 and 16 lower-case hex digits."""

    trace_id: str
    span_id: str
    sampled: bool = True

    @property
    def traceparent(self) -> str:
        """The header value that continues this trace elsewhere."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


class _Work(NamedTuple):
    """What is known of the present work: one thing, since every request sets it."""

    trace: Trace
    request_id: str | None = None
    address: Callable[[], str | None] | None = None


_current: ContextVar[_Work | None] = ContextVar("work", default=None)


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
        found = _Work(child_of(None))
        _current.set(found)
    return found.trace


def request_id() -> str | None:
    """The id of the HTTP request being answered, if any."""
    found = _current.get()
    return found.request_id if found is not None else None


def client_address() -> str | None:
    """The network address of who sent the HTTP request being answered, if any."""
    found = _current.get()
    return found.address() if found is not None and found.address is not None else None


def span(
    traceparent: str | None, *, request: str | None = None, address: Callable[[], str | None] | None = None
) -> AbstractContextManager[Trace]:
    """Work under a new span that continues `traceparent` (or starts a trace). `address` is asked when somebody wants to know."""
    return _Span(_Work(child_of(parse(traceparent)), request, address))


class _Span:
    """A class, since a generator would cost every request as much again."""

    __slots__ = ("_token", "_work")
    _token: Token[_Work | None]

    def __init__(self, work: _Work) -> None:
        self._work = work

    def __enter__(self) -> Trace:
        self._token = _current.set(self._work)
        return self._work.trace

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)
