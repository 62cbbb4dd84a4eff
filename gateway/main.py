"""Wiring of the gateway."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.cors import Cors
from gateway.edge import Edge
from gateway.headers import RawHeaders, security_headers
from gateway.pages import add_pages
from gateway.proxy import Proxy
from gateway.settings import Settings
from shared.http.errors import install_error_handlers
from shared.http.middleware import RequestContext
from shared.problems import Problem
from shared.service import Platform


class Gateway(FastAPI):
    """The app of the gateway's own pages, behind `front`: a forwarded request takes none of FastAPI's ways, which would
    cost it more than the gateway itself does."""

    front: ASGIApp
    refused: Callable[[Problem, str], Problem]
    """What the server tells somebody who sent it what is no request."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await (self.front if scope["type"] == "http" else self.pages)(scope, receive, send)

    async def pages(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for a page of the gateway's own."""
        await super().__call__(scope, receive, send)


def build(settings: Settings, platform: Platform) -> FastAPI:
    """The gateway, wired but not running: its lifespan opens the connections. Raises `RouteTableInvalid`.

    `app.state.drain()`, called before the server stops, ends event streams and turns `/readyz` to draining;
    `app.state.drain_seconds` is how long the requests under way may take then. `app.state.reload()` reads routes again.
    Serve it with uvicorn's `proxy_headers=False`: the gateway decides itself whose `X-Forwarded-For` it believes.
    """
    edge = Edge(settings, platform.token_verifier)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with edge.running():
            yield

    app = Gateway(title="Lendery gateway", openapi_url=None, redirect_slashes=False, lifespan=lifespan)
    app.state.edge = edge
    app.state.drain = edge.drain
    app.state.reload = edge.reload
    app.state.reloads = settings.gateway_routes_file is not None
    app.state.drain_seconds = settings.gateway_drain_seconds
    add_pages(app, edge)
    install_error_handlers(app)
    # From the inside out: the request meets the last one first.
    proxy = Proxy(app.pages, edge=edge)
    front: ASGIApp = proxy
    if settings.cors_origins:
        front = Cors(front, edge=edge)
    policies = security_headers(https=edge.public_scheme == "https")

    def more_headers(scope: Scope, headers: RawHeaders) -> RawHeaders:
        return [*policies(headers), *proxy.quota(scope)]

    app.front = RequestContext(front, service="gateway", more_headers=more_headers)
    app.refused = proxy.refused
    return app
