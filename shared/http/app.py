"""The factory of every service's FastAPI app: the same health, metrics, failures and documentation everywhere."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.http.client_address import PRIVATE_NETWORKS, Networks
from shared.http.direct import DirectRoutes
from shared.http.errors import install_error_handlers
from shared.http.middleware import RequestContext
from shared.http.schemas import ProblemDocument
from shared.identity.authenticator import Authenticator
from shared.identity.jwks import TokenVerifier

ReadinessCheck = Callable[[], Awaitable[None]]
"""Raises when the dependency that it stands for cannot be used."""

_CHECK_TIMEOUT_SECONDS = 3.0
_PROBLEM: dict[int | str, dict[str, Any]] = {
    "default": {
        "model": ProblemDocument,
        "description": "A problem document: what went wrong and what to do next",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
    }
}


class App(FastAPI):
    """A FastAPI app whose requests meet `RequestContext`, then `DirectRoutes`, and FastAPI's own machinery only for the rest."""

    def __init__(self, *, service: str, trusted_proxies: Networks, **declared: Any) -> None:
        super().__init__(**declared)
        self._service = service
        self._trusted_proxies = trusted_proxies

    def build_middleware_stack(self) -> ASGIApp:
        """What a request goes through, from the outside in. `RequestContext` answers what would be FastAPI's 500."""
        otherwise = ExceptionMiddleware(AsyncExitStackMiddleware(self.router), handlers=self.exception_handlers)
        self.direct = DirectRoutes(self.routes, self.exception_handlers, otherwise)
        return RequestContext(self.direct, service=self._service, trusted_proxies=self._trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; without FastAPI's own telemetry, for which there is `RequestContext`."""
        scope["app"] = self
        if self.middleware_stack is None:
            self.middleware_stack = self.build_middleware_stack()
        await self.middleware_stack(scope, receive, send)


def create_app(
    *,
    service: str,
    title: str,
    description: str,
    routers: Sequence[APIRouter],
    checks: Mapping[str, ReadinessCheck],
    token_verifier: TokenVerifier,
    context: Any,
    trusted_proxies: Networks = PRIVATE_NETWORKS,
) -> FastAPI:
    """The app of one service. `context` is what its endpoints hand to commands and queries; hosts in `trusted_proxies`
    may say, in X-Forwarded-For, whom they speak for.

    Who runs it adds the checks of its own parts, such as a worker's, to `app.state.checks`.
    """

    app = App(
        service=service,
        trusted_proxies=trusted_proxies,
        title=title,
        description=description,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        docs_url=None,
        redoc_url=None,
    )
    app.state.authenticator = Authenticator(token_verifier)
    app.state.context = context
    for router in routers:
        app.include_router(router, responses=_PROBLEM)
    app.state.checks = dict(checks)
    app.include_router(operations_router(app.state.checks))
    install_error_handlers(app)
    return app


def operations_router(checks: Mapping[str, ReadinessCheck]) -> APIRouter:
    """What operators ask of every process: alive, ready, metrics."""
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        states = await check_all(checks)
        ready = all(state["state"] == "up" for state in states.values())
        return JSONResponse({"status": "ready" if ready else "unavailable", "checks": states}, status_code=200 if ready else 503)

    @router.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


async def check_all(checks: Mapping[str, ReadinessCheck]) -> dict[str, dict[str, str]]:
    """The state of each dependency by its name: `up`, or `down` with the kind of failure."""

    async def state(check: ReadinessCheck) -> dict[str, str]:
        try:
            await asyncio.wait_for(check(), _CHECK_TIMEOUT_SECONDS)
        except Exception as error:
            return {"state": "down", "reason": type(error).__name__}
        return {"state": "up"}

    states = await asyncio.gather(*(state(check) for check in checks.values()))
    return dict(zip(checks, states, strict=True))
