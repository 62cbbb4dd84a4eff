"""How often somebody may call: token buckets, kept in the process or in Redis.

A bucket is one number, the time at which it will be full again (the generic cell rate algorithm); a full bucket need not
be kept at all. https://www.ietf.org/archive/id/draft-ietf-httpapi-ratelimit-headers-10.html for the answer's fields.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

from redis.asyncio import Redis
from redis.exceptions import RedisError

_log = logging.getLogger(__name__)

MAX_BUCKETS = 50_000
_RETRY_REDIS_SECONDS = 1.0


@dataclass(frozen=True)
class Limit:
    """`requests` at once at most, and as many again in every `seconds`, evenly."""

    requests: int
    seconds: float

    def __post_init__(self) -> None:
        if self.requests < 1 or not self.seconds > 0:
            raise ValueError("a limit is requests/seconds, both positive")

    @classmethod
    def parse(cls, text: str) -> "Limit":
        """`120/60` is 120 requests in 60 seconds. Raises `ValueError`."""
        requests, _, seconds = text.partition("/")
        return cls(int(requests), float(seconds))


class Decision(NamedTuple):
    """Whether the request may pass, how many more may at once, and when the bucket is full or has room again."""

    allowed: bool
    remaining: int
    full_in_seconds: float
    retry_in_seconds: float = 0.0

    @property
    def retry_after_seconds(self) -> int:
        """Whole seconds to wait, at least one."""
        return max(1, math.ceil(self.retry_in_seconds))


def decide(full_at: float, now: float, limit: Limit) -> tuple[float, Decision]:
    """The bucket after one request at `now`, and what becomes of the request."""
    share = limit.seconds / limit.requests
    new_full_at = max(full_at, now) + share
    over = new_full_at - now - limit.seconds
    if over > 1e-6:
        return full_at, Decision(False, 0, full_at - now, over)
    return new_full_at, Decision(True, int(-over / share + 1e-6), new_full_at - now)


def fields(name: str, limit: Limit, decision: Decision) -> list[tuple[bytes, bytes]]:
    """The headers that tell a client where it stands."""
    return [
        (b"ratelimit-policy", _policy(name, limit.requests, limit.seconds)),
        (b"ratelimit", f'"{name}";r={decision.remaining};t={math.ceil(decision.full_in_seconds)}'.encode("ascii")),
    ]


@lru_cache(maxsize=1024)
def _policy(name: str, requests: int, seconds: float) -> bytes:
    return f'"{name}";q={requests};w={math.ceil(seconds)}'.encode("ascii")


Key = tuple[object, ...]
"""What is counted together: the limit's name, and whose requests."""


class Buckets(Protocol):
    """Somewhere to count."""

    async def take(self, key: Key, limit: Limit) -> Decision:
        """Count one request of `key`, if its bucket has room."""
        ...


class ProcessBuckets:
    """Counts in this process: right for one gateway, and the fallback of many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._full_at: dict[Key, float] = {}

    async def take(self, key: Key, limit: Limit) -> Decision:
        """Count one request of `key`, if its bucket has room."""
        return self.count(key, limit)

    def count(self, key: Key, limit: Limit) -> Decision:
        """The same, at once."""
        now = self._clock()
        after, decision = decide(self._full_at.get(key, now), now, limit)
        if decision.allowed:
            self._full_at[key] = after
            if len(self._full_at) > MAX_BUCKETS:
                self._forget(now)
        return decision

    def _forget(self, now: float) -> None:
        """Drop full buckets; under a flood of addresses the oldest half of the others too, so memory stays bounded."""
        kept = [(key, full_at) for key, full_at in self._full_at.items() if full_at > now]
        self._full_at = dict(kept[-MAX_BUCKETS // 2 :])


_TAKE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local window, share = tonumber(ARGV[1]), tonumber(ARGV[1]) / tonumber(ARGV[2])
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local over = full_at + share - now - window
if over > 0.000001 then
  return {0, tostring(full_at - now), tostring(over)}
end
redis.call('SET', KEYS[1], string.format('%.6f', full_at + share), 'PX', math.ceil((full_at + share - now) * 1000) + 1)
return {1, tostring(full_at + share - now), tostring(over)}
"""


class RedisBuckets:
    """Counts in Redis, for all gateways together. While Redis is away each gateway counts for itself."""

    def __init__(self, redis: Redis, *, prefix: str = "lendery:limit:", clock: Callable[[], float] = time.monotonic) -> None:
        self._take = redis.register_script(_TAKE)
        self._prefix = prefix
        self._clock = clock
        self._fallback = ProcessBuckets(clock)
        self._away_until = float("-inf")

    async def take(self, key: Key, limit: Limit) -> Decision:
        """Count one request of `key`, if its bucket has room."""
        if self._clock() < self._away_until:
            return self._fallback.count(key, limit)
        try:
            name = self._prefix + ":".join(map(str, key))
            allowed, full_in, over = await self._take(keys=[name], args=[limit.seconds, limit.requests])
        except (RedisError, OSError) as error:
            self._away_until = self._clock() + _RETRY_REDIS_SECONDS
            _log.warning("rate limits are counted in this process: Redis is away", extra={"error": type(error).__name__})
            return self._fallback.count(key, limit)
        if not allowed:
            return Decision(False, 0, float(full_in), float(over))
        remaining = int(-float(over) * limit.requests / limit.seconds + 1e-6)
        return Decision(True, remaining, float(full_in))
