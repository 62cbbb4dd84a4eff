"""The merged OpenAPI document as it is served: fetched from the services, kept, fetched again."""

import asyncio
import hashlib
import json
import logging
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from gateway.compression import gzipped
from gateway.edge import Edge
from gateway.openapi import Json, merge
from gateway.routes import BUSINESS
from gateway.upstreams import NoAnswer

_log = logging.getLogger(__name__)

_FRESH_SECONDS = 300.0
_RETRY_SECONDS = 3.0
_INTRODUCTION = Path(__file__).with_name("static") / "introduction.md"
_SERVICES = tuple(dict.fromkeys(route.service for route in BUSINESS))


def api_version() -> str:
    """The version of the installed platform."""
    try:
        return version("lendery")
    except PackageNotFoundError:
        return "0.0.0+source"


class Reference:
    """The document. What a service said last stays in it while that service is away; who is missing is asked again soon."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._documents: dict[str, Json] = {}
        self._asked_at: dict[str, float] = {}
        self._rendered: tuple[bytes, bytes, str] = (b"", b"", "")
        self._lock = asyncio.Lock()

    async def document(self) -> tuple[bytes, bytes, str]:
        """The JSON, the same gzipped, and its entity tag."""
        async with self._lock:
            changed = await asyncio.gather(*(self._fetch(name) for name in _SERVICES if self._due(name)))
            if any(changed) or not self._rendered[0]:
                self._rendered = self._render()
            return self._rendered

    @property
    def missing(self) -> list[str]:
        """Services that have not described themselves yet."""
        return [name for name in _SERVICES if name not in self._documents]

    def _due(self, name: str) -> bool:
        wait_seconds = _FRESH_SECONDS if name in self._documents else _RETRY_SECONDS
        return time.monotonic() - self._asked_at.get(name, float("-inf")) > wait_seconds

    async def _fetch(self, name: str) -> bool:
        self._asked_at[name] = time.monotonic()
        try:
            document: Any = await self._edge.upstreams.json(name, "/openapi.json")
        except (NoAnswer, ValueError) as error:
            _log.warning("a service does not describe itself", extra={"upstream": name, "error": str(error)})
            return False
        changed: bool = document != self._documents.get(name)
        self._documents[name] = document
        return changed

    def _render(self) -> tuple[bytes, bytes, str]:
        settings = self._edge.settings
        info = {
            "title": "Lendery",
            "summary": "Lend money and things to each other",
            "version": api_version(),
            "description": _INTRODUCTION.read_text(encoding="utf-8"),
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        }
        merged = merge(self._documents, self._edge.table.routes, info=info, server_url=settings.public_url)
        body = json.dumps(merged, ensure_ascii=False, separators=(",", ":")).encode()
        return body, gzipped(body), f'"{hashlib.sha256(body).hexdigest()[:32]}"'
