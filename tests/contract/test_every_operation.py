"""Schemathesis over every operation of the merged document: whatever is sent, the answer is one that the document describes.

Inputs are made from the document, valid and invalid, the same in every run. `LENDERY_SCHEMATHESIS_EXAMPLES` says how many of each
kind an operation gets from each caller (default 1, which takes a minute); a few hundred make a long run.
"""

import contextlib
import http.server
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis.errors import Unsatisfiable

from runtime.demo.client import Person
from tests.contract.conftest import Stage

if TYPE_CHECKING:  # imported where it is used: most runs leave these tests out, and it takes a second of each worker's
    import requests
    from schemathesis import Case, GenerationMode

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("schemathesis")]

_EXAMPLES = int(os.environ.get("LENDERY_SCHEMATHESIS_EXAMPLES", "1"))
_SETTINGS = settings(
    max_examples=_EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    verbosity=Verbosity.quiet,
    suppress_health_check=list(HealthCheck),
)
_TIMEOUT_SECONDS = 30
_ENDS_THE_CALLER = {
    ("DELETE", "/v1/me"),
    ("POST", "/v1/auth/logout"),
    ("POST", "/v1/auth/password/change"),
    ("DELETE", "/v1/auth/sessions"),
    ("DELETE", "/v1/auth/sessions/{session_id}"),
}
"""Last: what comes after them would meet a caller who has gone."""
_NOT_FOR_OPERATORS = {("POST", "/v1/admin/close-of-business")}
"""Any day of nine thousand years is a valid one, and everything that is due by then is done."""
_ENDLESS = {("GET", "/v1/stream")}


@dataclass(frozen=True)
class Caller:
    """Somebody, and the headers that say so."""

    name: str
    headers: Mapping[str, str]


def _operations(document: dict[str, Any]) -> Iterator[Any]:
    import schemathesis

    schema = schemathesis.openapi.from_dict(document)
    # No token or cookie of its own making: what is tried is the operation, not the token check.
    schema.config.generation.update(with_security_parameters=False)
    found = [result.ok() for result in schema.get_all_operations()]
    yield from sorted(found, key=lambda operation: (operation.method.upper(), operation.path) in _ENDS_THE_CALLER)


def _try(operation: Any, mode: "GenerationMode", caller: Caller, url: str, session: "requests.Session") -> list[str]:
    """What is wrong with the answers of one operation."""
    from schemathesis.checks import not_a_server_error
    from schemathesis.core.failures import FailureGroup
    from schemathesis.specs.openapi import checks

    wanted = [
        not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
    ]
    wrong: dict[str, str] = {}

    @_SETTINGS
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: "Case") -> None:
        for name in [name for name in case.headers or {} if name.lower() in ("authorization", "cookie")]:
            del case.headers[name]
        response = case.call(base_url=url, session=session, headers=dict(caller.headers), timeout=_TIMEOUT_SECONDS)
        try:
            case.validate_response(response, checks=wanted)
        except FailureGroup as failures:
            for failure in failures.exceptions:
                told = f"{caller.name}: {operation.method.upper()} {operation.path} ({mode.value}): {failure}"
                wrong.setdefault(type(failure).__name__, told)

    with contextlib.suppress(Unsatisfiable):  # nothing invalid can be made of an operation that takes nothing
        ask()
    return list(wrong.values())


@pytest.fixture
async def document(stage: Stage) -> dict[str, Any]:
    """The merged document, complete."""
    async with httpx.AsyncClient(base_url=stage.platform.url, timeout=60, trust_env=False) as client:
        answer = await client.get("/openapi.json")
    assert "x-missing-services" not in answer.headers
    merged: dict[str, Any] = answer.json()
    return merged


@pytest.mark.parametrize("who", ["nobody", "a user", "an administrator"])
async def test_every_answer_is_one_that_the_document_describes(
    stage: Stage, document: dict[str, Any], ada: Person, admin: Person, who: str
) -> None:
    import requests
    from schemathesis import GenerationMode

    tokens = {"nobody": None, "a user": ada.token, "an administrator": admin.token}
    caller = Caller(who, {"Authorization": f"Bearer {tokens[who]}"} if tokens[who] else {})
    left_out = _ENDLESS | (_NOT_FOR_OPERATORS if who == "an administrator" else set())
    wrong: list[str] = []
    tried = 0
    with requests.Session() as session:
        session.trust_env = False
        for operation in _operations(document):
            if (operation.method.upper(), operation.path) in left_out:
                continue
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                wrong += _try(operation, mode, caller, stage.platform.url, session)
            tried += 1
    assert tried > 100
    assert not wrong, f"{len(wrong)} answers:\n\n" + "\n\n".join(wrong)


class _Wrong(http.server.BaseHTTPRequestHandler):
    """Answers what the description does not."""

    def do_GET(self) -> None:
        """One answer by path."""
        status, body = (500, b"{}") if self.path == "/broken" else (200, b'{"amount": "12.50"}')
        self.send_response(status)
        self.send_header("Content-Type", "application/json" if self.path != "/text" else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the base class's name
        """Nothing."""


def test_what_does_not_fit_the_document_is_found() -> None:
    import requests
    from schemathesis import GenerationMode

    fine = {"type": "object", "properties": {"amount": {"type": "integer"}}}
    operation = {"get": {"responses": {"200": {"description": "OK", "content": {"application/json": {"schema": fine}}}}}}
    paths = {"/broken": operation, "/schema": operation, "/text": operation}
    document = {"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": paths}
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Wrong) as server, requests.Session() as session:
        session.trust_env = False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        nobody = Caller("nobody", {})
        wrong = {one.path: _try(one, GenerationMode.POSITIVE, nobody, url, session) for one in _operations(document)}
        server.shutdown()
    assert all(wrong[path] for path in paths), wrong
