"""What an exception of a handler means for the message: never, later, or who knows; and how long later is."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.messaging.registry import Undecodable
from shared.problems import Problem

# Connection trouble, rollbacks of serialisation and deadlock, no resources, locks not free, operator intervention, I/O.
_TRANSIENT_SQLSTATES = ("08", "40", "53", "55", "57", "58")
_TRANSIENT_STATUSES = frozenset({408, 423, 425, 429})
_ERROR_CHARACTERS = 500


class Failure(Enum):
    """The three ways to fail."""

    CANNOT_PASS = "cannot pass"  # noqa: S105 the same input fails the same way
    MAY_PASS = "may pass"  # noqa: S105 the surroundings were at fault
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Retries:
    """How often and how patiently a message is tried. Waits grow by `factor` and lose up to half to chance.

    All waits together stay far below RabbitMQ's 30 minutes for an acknowledgement.
    """

    attempts_if_may_pass: int = 8
    attempts_if_unknown: int = 5
    first_delay_seconds: float = 0.2
    factor: float = 4.0
    longest_delay_seconds: float = 30.0

    def exhausted(self, failure: Failure, attempt: int) -> bool:
        """Whether attempt number `attempt` (from 1), having failed so, was the last."""
        if failure is Failure.CANNOT_PASS:
            return True
        return attempt >= (self.attempts_if_may_pass if failure is Failure.MAY_PASS else self.attempts_if_unknown)

    def delay_seconds(self, attempt: int, chance: Callable[[], float] = random.random) -> float:
        """How long to wait after attempt number `attempt` failed; `chance` gives numbers from 0 to 1."""
        # The exponent is bounded because an outage may last for any number of attempts.
        longest = min(self.longest_delay_seconds, self.first_delay_seconds * self.factor ** min(attempt - 1, 30))
        return longest * (0.5 + 0.5 * chance())


def classify(error: BaseException) -> Failure:
    """Decide whether trying again can help.

    A problem that would be a client's fault in HTTP cannot pass: handlers turn refusals they expect into events. One that
    says "later" may.
    """
    for cause in _chain(error):
        if isinstance(cause, Undecodable):
            return Failure.CANNOT_PASS
        if isinstance(cause, Problem):
            passes = cause.status >= 500 or cause.status in _TRANSIENT_STATUSES
            return Failure.MAY_PASS if passes else Failure.CANNOT_PASS
        if isinstance(cause, OSError | TimeoutError | PoolTimeout):
            return Failure.MAY_PASS
        if isinstance(cause, DBAPIError) and cause.connection_invalidated:
            return Failure.MAY_PASS
        if str(getattr(cause, "sqlstate", None) or "").startswith(_TRANSIENT_SQLSTATES):
            return Failure.MAY_PASS
    return Failure.UNKNOWN


def describe(error: BaseException) -> str:
    """The error for the log and the dead letter: its class and first line, without SQL parameters (personal data)."""
    shown = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    try:
        lines = str(shown).splitlines()
    except Exception:  # some classes cannot show an instance without arguments
        lines = []
    return f"{type(shown).__name__}: {lines[0] if lines else ''}"[:_ERROR_CHARACTERS].rstrip(": ").replace("\x00", "")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, the driver's error inside it, and what it was explicitly raised from."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.orig if isinstance(following, DBAPIError) and following.orig else following.__cause__
