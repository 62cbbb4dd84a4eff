"""How guessing is slowed down: a few tries are free, then each wrong one makes the next wait longer, up to a limit.

The limit is what keeps an attacker from locking the owner out: it is minutes for one address guessing at one account,
and a minute for an account as a whole, where addresses from which the owner has logged in are not counted at all.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Rule:
    """`free` failures, then a block of `first_block`, doubled for each further one up to `longest_block`.

    After `forgotten_after` without a failure the count begins anew.
    """

    kind: str
    free: int
    first_block: timedelta
    longest_block: timedelta
    forgotten_after: timedelta


@dataclass(frozen=True, order=True)
class AttemptKey:
    """Whose attempts are counted: `subject` is a hash, which is stored keyed, so that counters hold no personal data."""

    kind: str
    subject: bytes

    @classmethod
    def of(cls, rule: Rule, *subject: str) -> "AttemptKey":
        """The counter of `rule` for this subject."""
        return cls(rule.kind, hashlib.sha256("\n".join(subject).encode()).digest())


@dataclass(frozen=True)
class Attempts:
    """A counter. `blocked_until` is when the next try is allowed."""

    count: int
    last_at: datetime
    blocked_until: datetime | None = None

    def wait(self, now: datetime) -> timedelta:
        """How long until the next try is allowed."""
        return max(self.blocked_until - now, timedelta(0)) if self.blocked_until else timedelta(0)


def after_another(earlier: Attempts | None, rule: Rule, now: datetime) -> Attempts:
    """The counter after one more attempt that counts."""
    forgotten = earlier is None or now - earlier.last_at > rule.forgotten_after
    count = 1 if earlier is None or forgotten else earlier.count + 1
    if count < rule.free:
        return Attempts(count, now)
    doublings = min(count - rule.free, 20)
    return Attempts(count, now, now + min(rule.first_block * 2**doublings, rule.longest_block))
