"""The services behind the edge: where each one is, how well it answers, and the connections to all of them."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from gateway import metrics
from gateway.settings import Settings
from shared.breaker import Breaker
from shared.problems import ServiceUnavailable

_CHECK_SECONDS = 2.0
_CHECK_KEPT_SECONDS = 1.0
_AUTOMATIC = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


@dataclass(frozen=True)
class Upstream:
    """One service."""

    name: str
    url: str
    breaker: Breaker

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


class Upstreams:
    """All services, and one pool of connections to them. Connections open as they are needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None
        self._states: dict[str, dict[str, str]] = {}
        self._states_at = float("-inf")
        self._checking = asyncio.Lock()
        self.by_name: Mapping[str, Upstream] = {
            name: Upstream(
                name, url, Breaker(failures=settings.gateway_breaker_failures, seconds=settings.gateway_breaker_seconds)
            )
            for name, url in settings.upstreams.items()
        }

    @property
    def session(self) -> aiohttp.ClientSession:
        """The pool. Only while `running`."""
        if self._session is None:
            raise RuntimeError("the gateway's lifespan was not entered")
        return self._session

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hold the pool open."""
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=self._settings.gateway_keepalive_seconds)
        async with aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=_AUTOMATIC,
            trust_env=False,
        ) as session:
            self._session = session
            yield
        self._session = None

    def timeout(self, seconds: float) -> aiohttp.ClientTimeout:
        """At most `seconds` until the answer begins (counted from the end of the request), and between its pieces."""
        return aiohttp.ClientTimeout(total=None, sock_connect=self._settings.gateway_connect_timeout_seconds, sock_read=seconds)

    async def json(self, name: str, path: str) -> Any:
        """What a service answers to a GET of ours. Raises `aiohttp.ClientError`, `TimeoutError`, `ValueError`."""
        async with self.session.get(
            self.by_name[name].url + path, timeout=aiohttp.ClientTimeout(total=_CHECK_SECONDS), raise_for_status=True
        ) as answer:
            return await answer.json()

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
            async with self.session.get(
                f"{upstream.url}/readyz", timeout=aiohttp.ClientTimeout(total=_CHECK_SECONDS), allow_redirects=False
            ) as answer:
                # 404: it answers, and has no dependencies that it could be unready for.
                if answer.status in (200, 404):
                    return {"state": "up"}
                return {"state": "down", "reason": f"answers {answer.status}"}
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return {"state": "down", "reason": type(error).__name__}
