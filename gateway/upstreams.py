"""The services behind the edge: where each one is, how well it answers, and the connections to all of them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from gateway import metrics
from gateway.connections import Pool
from gateway.retries import RetryBudget
from gateway.settings import Settings
from shared.breaker import Breaker
from shared.problems import ServiceUnavailable

_CHECK_SECONDS = 2.0
_DESCRIBE_SECONDS = 20.0
"""A service makes its description when it is first asked for it, which takes a second of work."""
_CHECK_KEPT_SECONDS = 1.0


@dataclass(frozen=True)
class Upstream:
    """One service."""

    name: str
    pool: Pool
    breaker: Breaker
    retries: RetryBudget = field(default_factory=RetryBudget)

    def admit(self) -> None:
        """Raises `ServiceUnavailable` while the service is left alone to recover."""
        wait_seconds = self.breaker.wait_seconds(time.monotonic())
        if wait_seconds:
            raise unavailable(wait_seconds)

    def answered(self) -> None:
        """Count an answer."""
        if self.breaker.open:
            metrics.BREAKER_OPEN.labels(self.name).set(0)
        self.breaker.succeeded()
        self.retries.earn()

    def failed(self, kind: str) -> None:
        """Count a failure of the service; `kind` for the metrics."""
        metrics.UPSTREAM_FAILURES.labels(self.name, kind).inc()
        self.breaker.failed(time.monotonic())
        if self.breaker.open:
            metrics.BREAKER_OPEN.labels(self.name).set(1)


def unavailable(wait_seconds: float) -> ServiceUnavailable:
    """The service cannot be reached; nothing of the request has reached it."""
    return ServiceUnavailable(
        "The request was not carried out. Trying again is safe.", headers={"Retry-After": str(max(1, round(wait_seconds)))}
    )


class NoAnswer(Exception):
    """A service did not answer a question of the gateway's own, or not with success."""


class Upstreams:
    """All services, and the connections to them, which open as they are needed."""

    def __init__(self, settings: Settings) -> None:
        self._states: dict[str, dict[str, str]] = {}
        self._states_at = float("-inf")
        self._checking = asyncio.Lock()
        self.by_name: Mapping[str, Upstream] = {
            name: Upstream(
                name,
                Pool(
                    url,
                    connect_seconds=settings.gateway_connect_timeout_seconds,
                    idle_seconds=settings.gateway_keepalive_seconds,
                ),
                Breaker(failures=settings.gateway_breaker_failures, seconds=settings.gateway_breaker_seconds),
            )
            for name, url in settings.upstreams.items()
        }

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Close the connections at the end."""
        try:
            yield
        finally:
            for upstream in self.by_name.values():
                upstream.pool.close()

    async def json(self, name: str, path: str) -> Any:
        """What a service answers to a GET of ours. Raises `NoAnswer` or `ValueError`."""
        status, body = await self._get(self.by_name[name], path, _DESCRIBE_SECONDS)
        if status != 200:
            raise NoAnswer(f"it answers {status}")
        return json.loads(body)

    async def _get(self, upstream: Upstream, path: str, seconds: float) -> tuple[int, bytes]:
        pool = upstream.pool
        request = b"GET %b HTTP/1.1\r\nhost: %b\r\naccept: application/json\r\n\r\n" % (pool.path + path.encode(), pool.host)
        try:
            async with asyncio.timeout(seconds):
                answer = await pool.ask(request, seconds=seconds, fresh=True)
                try:
                    return answer.status, await answer.whole(seconds)
                finally:
                    answer.close()
        except (OSError, TimeoutError) as error:
            raise NoAnswer(type(error).__name__) from error

    async def states(self) -> Mapping[str, Mapping[str, str]]:
        """The state of each service: `up`, or `down` with the reason. Asked once a second at most, however often we are."""
        async with self._checking:
            if time.monotonic() - self._states_at > _CHECK_KEPT_SECONDS:
                found = await asyncio.gather(*(self._state(upstream) for upstream in self.by_name.values()))
                self._states = dict(zip(self.by_name, found, strict=True))
                self._states_at = time.monotonic()
            return self._states

    async def _state(self, upstream: Upstream) -> dict[str, str]:
        try:
            status, _ = await self._get(upstream, "/readyz", _CHECK_SECONDS)
        except NoAnswer as error:
            return {"state": "down", "reason": str(error)}
        # 404: it answers, and has no dependencies that it could be unready for.
        return {"state": "up"} if status in (200, 404) else {"state": "down", "reason": f"answers {status}"}
