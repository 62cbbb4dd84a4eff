"""Everything that a request at the edge needs, in one place: table, callers, limits, services."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from urllib.parse import urlsplit

from redis.asyncio import Redis

from gateway.cookies import CookieSessions
from gateway.headers import Requests
from gateway.interruption import Interruption
from gateway.limits import Buckets, ProcessBuckets, RedisBuckets
from gateway.problems import Overloaded
from gateway.routes import BUSINESS, PAGES
from gateway.routing import RouteTableInvalid
from gateway.settings import Settings
from gateway.table import Table, load
from gateway.upstreams import Upstreams
from shared.identity.authenticator import Authenticator
from shared.identity.jwks import TokenVerifier

_log = logging.getLogger(__name__)
_REDIS_SECONDS = 0.25
_WATCH_SECONDS = 1.0


class Edge:
    """The state of one gateway process."""

    def __init__(self, settings: Settings, verifier: TokenVerifier) -> None:
        """Raises `RouteTableInvalid`."""
        self.settings = settings
        self.upstreams = Upstreams(settings)
        self._file_changed_at = self._file_time()
        self.table = self._load()
        self.authenticator = Authenticator(verifier)
        self.cookies = CookieSessions(
            self.authenticator,
            public_url=settings.public_url,
            origins=settings.cors_origins,
            production=settings.production,
        )
        self.buckets: Buckets = ProcessBuckets()
        public = urlsplit(settings.public_url)
        self.public_scheme = public.scheme
        self.requests = Requests(public_host=public.netloc, public_scheme=public.scheme)
        self.in_flight = 0
        self.streams: set[Interruption] = set()
        self.draining = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hold connections to the services, and to Redis if it is configured; watch the file of routes."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.upstreams.running())
            if self.settings.redis_url is not None:
                redis = Redis.from_url(
                    self.settings.redis_url.get_secret_value(),
                    socket_timeout=_REDIS_SECONDS,
                    socket_connect_timeout=_REDIS_SECONDS,
                )
                stack.push_async_callback(redis.aclose)
                self.buckets = RedisBuckets(redis)
            if self.settings.gateway_routes_file is not None:
                watching = asyncio.create_task(self._watch(), name="watch routes")
                stack.callback(watching.cancel)
            yield
            self.drain()

    def drain(self) -> None:
        """Take no more work: `/readyz` says so, and streams that would never end by themselves end. What else is under
        way is answered. To be called before the server stops."""
        self.draining.set()
        for stream in tuple(self.streams):
            stream.interrupt()

    def reload(self) -> bool:
        """Read the file of routes again; whether it was valid. Requests under way keep the table that they began with."""
        self._file_changed_at = self._file_time()
        try:
            self.table = self._load()
        except RouteTableInvalid as error:
            _log.error("the routes stay as they were", extra={"error": str(error)})
            return False
        _log.info("routes and limits were read again", extra={"routes": len(self.table.routes.routes)})
        return True

    @contextmanager
    def streaming(self, interruption: Interruption, *, endless: bool) -> Iterator[None]:
        """An answer is being streamed. One without an end is counted apart, and ends when the gateway stops.

        Raises `Overloaded` when there are too many of those.
        """
        if not endless:
            yield
            return
        if len(self.streams) >= self.settings.gateway_max_streams:
            raise Overloaded("Too many event streams are open. Try again.", headers={"Retry-After": "5"})
        self.streams.add(interruption)
        self.in_flight -= 1
        try:
            yield
        finally:
            self.in_flight += 1
            self.streams.discard(interruption)

    def _load(self) -> Table:
        services = self.settings.upstreams
        pages = (route for route in PAGES if route.service in services)
        return load(self.settings.gateway_routes_file, [*BUSINESS, *pages], self.settings.limits, services=services)

    def _file_time(self) -> int:
        file = self.settings.gateway_routes_file
        try:
            return 0 if file is None else file.stat().st_mtime_ns
        except OSError:
            return 0

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            if self._file_time() != self._file_changed_at:
                self.reload()
