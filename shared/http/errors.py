"""Failures as RFC 9457 problem documents, whatever raised them."""

import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from shared.problems import (
    FieldError,
    Forbidden,
    InvalidRequest,
    NotFound,
    Problem,
    ServiceUnavailable,
    Unauthenticated,
)
from shared.problems.common import MalformedBody, MethodNotAllowed
from shared.problems.document import MEDIA_TYPE, problem_document

_log = logging.getLogger(__name__)

_BY_STATUS: dict[int, type[Problem]] = {
    400: MalformedBody,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    422: InvalidRequest,
    503: ServiceUnavailable,
}


# Lock timeout, deadlock, serialization failure, statement timeout: nothing was done, and trying again may work.
_BUSY = frozenset({"55P03", "40P01", "40001", "57014"})
# The server has no place or memory left for us, hangs up, shuts down or starts. The driver tells so in no class of its own.
_AWAY = ("53", "08", "57P01", "57P02", "57P03")


def problem_response(problem: Problem) -> Response:
    """The answer that tells the client about `problem`."""
    return Response(
        json.dumps(problem_document(problem), ensure_ascii=False),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=problem.headers,
    )


def problem_of(error: BaseException) -> Problem:
    """The problem that stands for any exception. What is unexpected becomes a 500 without its inner details."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, (OperationalError, InterfaceError, PoolTimeout, ConnectionError, TimeoutError)) or (
        isinstance(error, DBAPIError) and (error.connection_invalidated or _sqlstate(error).startswith(_AWAY))
    ):
        return ServiceUnavailable("The database cannot be reached right now. Trying again is safe.", headers={"Retry-After": "2"})
    if isinstance(error, DBAPIError) and _sqlstate(error) in _BUSY:
        return ServiceUnavailable(
            "Others are working on the same thing right now. Trying again is safe.", headers={"Retry-After": "1"}
        )
    return Problem("The request could not be completed. Quote the trace id when you report this.")


def _sqlstate(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def _field_name(location: Iterable[object]) -> str:
    # Where a field may be of several types, pydantic also names the type it tried: `constrained-str`, `dict[str,str]`.
    parts = [part for part in map(str, location) if part != "constrained-str" and not part.endswith("]")]
    return ".".join(parts[1:] if parts and parts[0] in {"body", "query", "path", "header"} else parts)


def _field_message(error: Mapping[str, Any]) -> str:
    if error["type"] in {"model_attributes_type", "model_type"}:
        whole = tuple(error["loc"]) == ("body",)
        return "Send a JSON object, with Content-Type: application/json" if whole else "Input should be an object"
    return str(error["msg"]).removeprefix("Value error, ")


def _invalid(errors: Iterable[Mapping[str, Any]]) -> Problem:
    found = list(errors)
    if any(error["type"] == "json_invalid" for error in found):
        return MalformedBody("The body is not valid JSON. Check it for missing quotes, commas or brackets.")
    fields = [FieldError(_field_name(error["loc"]) or "body", _field_message(error)) for error in found]
    named = ", ".join(dict.fromkeys(field.field for field in fields))
    return InvalidRequest(f"Correct these fields and send the request again: {named}.", errors=fields)


def install_error_handlers(app: FastAPI) -> None:
    """Answer every failure of `app` with a problem document."""

    @app.exception_handler(Problem)
    async def on_problem(_: Request, error: Problem) -> Response:
        return problem_response(error)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_: Request, error: RequestValidationError) -> Response:
        return problem_response(_invalid(error.errors()))

    @app.exception_handler(HTTPException)
    async def on_http(_: Request, error: HTTPException) -> Response:
        problem_type = _BY_STATUS.get(error.status_code)
        if problem_type is None:
            problem: Problem = Problem(str(error.detail))
            return problem_response(problem)
        details = {
            404: "There is nothing at this address. Check it against /docs.",
            405: "This address does not take that method. Check it against /docs.",
            400: "The body could not be read. Send UTF-8 JSON, or where /docs asks for a form, one of at most 1,000 fields.",
        }
        return problem_response(
            problem_type(details.get(error.status_code, str(error.detail)), headers=dict(error.headers or {}))
        )
