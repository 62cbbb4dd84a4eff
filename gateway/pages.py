"""The gateway's own addresses: the front page, the API reference, and what operators ask."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.staticfiles import StaticFiles

from gateway import caching, compression
from gateway.addresses import is_direct_loopback
from gateway.edge import Edge
from gateway.readiness import Readiness
from gateway.reference import Reference
from shared.problems import NotFound

_STATIC = Path(__file__).with_name("static")
_DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE_HEADERS = {"Content-Security-Policy": _DOCS_POLICY, "Cache-Control": "no-cache"}


def add_pages(app: FastAPI, edge: Edge) -> None:
    """Give `app` the gateway's own addresses."""
    app.include_router(_reference_router(edge))
    app.include_router(_operations_router(edge))
    app.mount("/docs/assets", _Assets(directory=_STATIC / "assets"))


class _Assets(StaticFiles):
    """Files beside the pages; browsers ask each time whether they have changed, so a page never meets another's script."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """The file, or that it has not changed."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


def _reference_router(edge: Edge) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    reference = Reference(edge)
    front_page = _page("index.html", {"links": _local_links(edge)})
    docs_page = _page("docs.html", {})

    @router.api_route("/", methods=["GET", "HEAD"])
    async def show_front_page() -> HTMLResponse:
        return HTMLResponse(front_page, headers=_PAGE_HEADERS)

    @router.api_route("/docs", methods=["GET", "HEAD"])
    async def show_docs() -> HTMLResponse:
        return HTMLResponse(docs_page, headers=_PAGE_HEADERS)

    @router.api_route("/openapi.json", methods=["GET", "HEAD"])
    async def show_openapi(request: Request) -> Response:
        body, packed, tag = await reference.document()
        headers = {"ETag": tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if reference.missing:
            headers["X-Missing-Services"] = ", ".join(reference.missing)
        if caching.is_known(request.scope["headers"], tag.encode()):
            return Response(status_code=304, headers=headers)
        if compression.accepts(request.scope["headers"]):
            headers |= {"ETag": f"W/{tag}", "Content-Encoding": "gzip"}
            return Response(packed, media_type="application/json", headers=headers)
        return Response(body, media_type="application/json", headers=headers)

    return router


def _operations_router(edge: Edge) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    readiness = Readiness(edge)

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        status, document = await readiness.state()
        return JSONResponse(document, status_code=status, headers={"Cache-Control": "no-store"})

    @router.get("/metrics")
    async def metrics(request: Request) -> Response:
        if not is_direct_loopback(request.scope):
            raise NotFound("There is nothing at this address. Check it against /docs.")
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


def _page(name: str, values: Mapping[str, str]) -> str:
    """A page of ours; `values` are HTML already."""
    page = (_STATIC / name).read_text(encoding="utf-8")
    for key, value in values.items():
        page = page.replace(f"<!-- {key} -->", value)
    return page


def _local_links(edge: Edge) -> str:
    """What only a laptop has."""
    if "mailbox" not in edge.settings.upstreams:
        return ""
    return _link("/mailbox", "Mailbox", "Every e-mail that this platform sent. None leaves this machine.")


def _link(address: str, name: str, text: str) -> str:
    return f'<li><a href="{escape(address)}"><strong>{escape(name)}</strong><span>{escape(text)}</span></a></li>'
