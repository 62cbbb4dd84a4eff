"""Everything that a request at the edge needs, in one place: table, callers, limits, services."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

from redis.asyncio import Redis

from gateway.cookies import CookieSessions
from gateway.interruption import Interruption
from gateway.limits import Buckets, ProcessBuckets, RedisBuckets
from gateway.routes import BUSINESS, PAGES
from gateway.routing import RouteTable
from gateway.settings import Settings
from gateway.upstreams import Upstreams
from shared.identity.authenticator import Authenticator
from shared.identity.jwks import TokenVerifier

_REDIS_SECONDS = 0.25


class Edge:
    """The state of one gateway process."""

    def __init__(self, settings: Settings, verifier: TokenVerifier) -> None:
        """Raises `RouteTableInvalid`."""
        self.settings = settings
        self.limits = settings.limits
        self.upstreams = Upstreams(settings)
        self.routes = RouteTable(
            [*BUSINESS, *(route for route in PAGES if route.service in settings.upstreams)],
            services=settings.upstreams,
            limits=self.limits,
        )
        self.authenticator = Authenticator(verifier)
        self.cookies = CookieSessions(
            self.authenticator,
            public_url=settings.public_url,
            origins=settings.cors_origins,
            production=settings.production,
        )
        self.buckets: Buckets = ProcessBuckets()
        self.timeouts = {
            seconds: self.upstreams.timeout(seconds) for seconds in {route.timeout_seconds for route in self.routes.routes}
        }
        public = urlsplit(settings.public_url)
        self.public_scheme, self.public_host = public.scheme, public.netloc
        self.streams: set[Interruption] = set()
        self.draining = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hold connections to the services, and to Redis if it is configured."""
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
            yield
            self.drain()

    def drain(self) -> None:
        """Take no more work: `/readyz` says so, and streams that would never end by themselves end. What else is under
        way is answered. To be called before the server stops."""
        self.draining.set()
        for stream in tuple(self.streams):
            stream.interrupt()
