"""What the present work was caused by, so that messages sent during it can say so.

The dispatcher sets it around a handler. In an HTTP request there is nothing to set: the request's id is the correlation
id of what it sets off, and it has no causing message. The trace travels beside it, in `shared.telemetry.trace`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from shared.telemetry import trace


@dataclass(frozen=True)
class Correlation:
    """`correlation_id` is shared by all that one request or job set off; `causation_id` is the message before."""

    correlation_id: str
    causation_id: str | None = None


_current: ContextVar[Correlation | None] = ContextVar("correlation", default=None)


def current() -> Correlation:
    """The correlation of the present work: the message being handled, else the HTTP request, else the trace."""
    return _current.get() or Correlation(trace.request_id() or trace.current().trace_id)


@contextmanager
def caused_by(correlation_id: str, causation_id: str | None) -> Iterator[None]:
    """Work that belongs to `correlation_id`, on account of message `causation_id`."""
    token = _current.set(Correlation(correlation_id, causation_id))
    try:
        yield
    finally:
        _current.reset(token)
