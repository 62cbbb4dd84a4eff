"""Wiring of the gateway."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from gateway.edge import Edge
from gateway.headers import SecurityHeaders
from gateway.pages import add_pages
from gateway.proxy import Proxy
from gateway.settings import Settings
from shared.http.errors import install_error_handlers
from shared.http.middleware import RequestContext
from shared.service import Platform

_CORS_REQUEST = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "Prefer",
    "X-CSRF-Token",
    "X-Request-Id",
    "X-Session-Mode",
    "traceparent",
)
_CORS_ANSWER = (
    "ETag",
    "Idempotent-Replayed",
    "Location",
    "Preference-Applied",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-Id",
)
_CORS_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_CORS_KEPT_SECONDS = 600


def build(settings: Settings, platform: Platform) -> FastAPI:
    """The gateway, wired but not running: its lifespan opens the connections. Raises `RouteTableInvalid`.

    `app.state.drain()`, called before the server stops, ends event streams and turns `/readyz` to draining.
    Serve it with uvicorn's `proxy_headers=False`: the gateway decides itself whose `X-Forwarded-For` it believes.
    """
    edge = Edge(settings, platform.token_verifier)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with edge.running():
            yield

    app = FastAPI(title="Lendery gateway", openapi_url=None, redirect_slashes=False, lifespan=lifespan)
    app.state.edge = edge
    app.state.drain = edge.drain
    add_pages(app, edge)
    install_error_handlers(app)
    # From the inside out: the request meets the last one first.
    app.add_middleware(Proxy, edge=edge)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_credentials=True,
            allow_methods=_CORS_METHODS,
            allow_headers=_CORS_REQUEST,
            expose_headers=_CORS_ANSWER,
            max_age=_CORS_KEPT_SECONDS,
        )
    app.add_middleware(RequestContext, service="gateway")
    app.add_middleware(SecurityHeaders, https=edge.public_scheme == "https")
    return app
