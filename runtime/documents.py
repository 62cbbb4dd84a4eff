"""Documents written from the code: the OpenAPI description, the problem codes, and who may call what.

python -m runtime.documents            writes docs/openapi.json, permissions.md, personal-data.md and problems.md
python -m runtime.documents --check    fails when they are not what the code says
"""

import asyncio
import importlib
import json
import os
import pkgutil
import sys
import tomllib
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx

from gateway.permissions import permissions
from gateway.routes import BUSINESS
from gateway.settings import PRODUCTION_LIMITS
from runtime.http_server import HttpServer, address, bind, serving
from runtime.personal_data import personal_data
from runtime.services import SERVICES, build_gateway
from runtime.settings import read_settings
from shared.problems import Problem
from shared.service import Platform

_ROOT = Path(__file__).parent.parent
_PACKAGES = ("shared", "gateway", "services")
_ENVIRONMENT = {
    "LENDERY_ENV": "local",
    "DATABASE_URL": "postgresql://localhost/none",
    "LENDERY_PUBLIC_URL": "http://localhost:8000",
}


def openapi_document() -> dict[str, Any]:
    """The merged OpenAPI document as the gateway serves it. Needs no database: nothing but descriptions is asked for."""
    return asyncio.run(_ask_gateway())


async def _ask_gateway() -> dict[str, Any]:
    listeners = {entry: bind("127.0.0.1", 0) for entry in SERVICES if entry.name != "sandbox"}
    os.environ.update(_ENVIRONMENT)
    os.environ.update({entry.address_variable: address(listener) for entry, listener in listeners.items()})
    platform = Platform.of(read_settings())
    async with AsyncExitStack() as stack:
        for entry, listener in listeners.items():
            await stack.enter_async_context(serving(HttpServer(entry.name, entry.build(platform).app, listener)))
        listener = bind("127.0.0.1", 0)
        gateway = build_gateway(platform)
        await stack.enter_async_context(serving(HttpServer("gateway", gateway, listener, drain=gateway.state.drain)))
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=address(listener), timeout=60, trust_env=False))
        answer = await client.get("/openapi.json")
        missing = answer.headers.get("X-Missing-Services")
        if answer.status_code != 200 or missing:
            raise RuntimeError(f"the gateway has no complete description: {answer.status_code}, missing {missing}")
        document: dict[str, Any] = answer.json()
    return document


def problem_list() -> str:
    """The problem codes, as Markdown."""
    lines = [
        "# Problem codes",
        "",
        "Errors are RFC 9457 problem documents; `code` is stable. Written by `make contracts` from the code: do not edit.",
    ]
    found = sorted(_problems(), key=lambda problem: (_owner(problem), problem.code, problem.__name__))
    owners = sorted({_owner(problem) for problem in found}, key=lambda owner: (owner != "every service", owner))
    for owner in owners:
        lines += ["", f"## {owner.capitalize()}", "", "| Code | Status | Title |", "| --- | --- | --- |"]
        rows = {(one.code, one.status, one.title): None for one in found if _owner(one) == owner}
        lines += [f"| `{code}` | {status} | {title} |" for code, status, title in rows]
    return "\n".join(lines) + "\n"


def _problems() -> Iterator[type[Problem]]:
    for package in _PACKAGES:
        module = importlib.import_module(package)
        for found in pkgutil.walk_packages(module.__path__, f"{package}."):
            if not found.name.endswith("__main__"):
                importlib.import_module(found.name)
    waiting = [Problem]
    while waiting:
        problem = waiting.pop()
        waiting += problem.__subclasses__()
        if problem.__module__.split(".")[0] in _PACKAGES:
            yield problem


def _owner(problem: type[Problem]) -> str:
    package, _, rest = problem.__module__.partition(".")
    return rest.split(".")[0].replace("_", "-") if package == "services" else package.replace("shared", "every service")


def _files() -> dict[Path, str]:
    document = openapi_document()
    # The checked-in file names the version of the source, whether or not that is installed here.
    document["info"]["version"] = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]["version"]
    openapi = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    docs = _ROOT / "docs"
    return {
        docs / "openapi.json": openapi,
        docs / "permissions.md": permissions(BUSINESS, PRODUCTION_LIMITS),
        docs / "personal-data.md": personal_data(),
        docs / "problems.md": problem_list(),
    }


def main(arguments: list[str]) -> int:
    """Write the files, or with `--check` compare them; the exit code."""
    stale = {path: text for path, text in _files().items() if not path.exists() or path.read_text() != text}
    for path, text in stale.items():
        if "--check" in arguments:
            print(f"{path.relative_to(_ROOT)} is not what the code says. Run `make contracts`.", file=sys.stderr)
        else:
            path.write_text(text)
            print(f"wrote {path.relative_to(_ROOT)}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
