"""The short way from a request to its endpoint: routes found in a table, called by their plans, answered at once.

What FastAPI declares stays declared with FastAPI, which also answers what the table does not have: other methods, addresses
that are none, routes that use what only FastAPI does (`shared.http.plan`).
"""

import email.message
import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from re import Pattern
from typing import Any

from fastapi import Request, Response
from fastapi._compat import Undefined
from fastapi.datastructures import DefaultPlaceholder
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import HTTPException, RequestValidationError, ResponseValidationError
from fastapi.params import Form
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from fastapi.utils import is_body_allowed_for_status_code
from starlette.convertors import StringConvertor
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.http.plan import NotPlain, Plan

Handlers = Mapping[Any, Callable[[Request, Any], Any]]


class DirectRequest(Request):
    """A request whose body mostly comes in one piece, as it does from any client that is not slow."""

    async def body(self) -> bytes:
        """The whole body. Raises `ClientDisconnect`."""
        if not hasattr(self, "_body"):
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._is_disconnected = True
                raise ClientDisconnect
            pieces = [message.get("body", b"")]
            if message.get("more_body", False):
                pieces += [piece async for piece in self.stream()]
            self._stream_consumed = True
            self._body = b"".join(pieces)
        return self._body


class DirectRoute:
    """One route. Raises `NotPlain` when only FastAPI can answer it."""

    def __init__(self, context: RouteContext) -> None:
        self.route = context.original_route
        self._declared: Any = context
        declared = self._declared
        field = declared.body_field
        plain_class = isinstance(declared.response_class, DefaultPlaceholder) and declared.response_class.value is JSONResponse
        if not plain_class or declared.is_sse_stream or declared.is_json_stream or declared._embed_body_fields:
            raise NotPlain
        if declared.max_body_size is not None or (field is not None and isinstance(field.field_info, Form)):
            raise NotPlain
        if not declared.strict_content_type:
            raise NotPlain
        self._plan = Plan(declared.dependant)
        self._endpoint = self._plan.endpoint
        self._takes_body = field is not None
        self._field = declared.response_field
        self._status: int | None = declared.status_code
        self._how = {
            "include": declared.response_model_include,
            "exclude": declared.response_model_exclude,
            "by_alias": declared.response_model_by_alias,
            "exclude_unset": declared.response_model_exclude_unset,
            "exclude_defaults": declared.response_model_exclude_defaults,
            "exclude_none": declared.response_model_exclude_none,
        }

    async def answer(self, request: Request) -> Response:
        """The endpoint's answer. Raises `RequestValidationError`, and what dependencies and the endpoint raise."""
        body = await _body(request) if self._takes_body else Undefined
        plan = self._plan
        noted = _noted() if plan.wants_response else None
        arguments, errors = await plan.arguments(request, noted, body)
        if errors:
            raise RequestValidationError(errors, body=None if body is Undefined else body)
        answer = await self._endpoint(**arguments)
        return answer if isinstance(answer, Response) else self._written(answer, noted)

    def _written(self, answer: Any, noted: Response | None) -> Response:
        status = self._status or 200
        if noted is not None and noted.status_code:
            status = noted.status_code
        if self._field is None:
            response: Response = JSONResponse(jsonable_encoder(answer), status_code=status)
        else:
            value, errors = self._field.validate(answer, {}, loc=("response",))
            if errors:
                raise ResponseValidationError(errors=errors, body=answer)
            content = self._field.serialize_json(value, **self._how)
            response = Response(content, status_code=status, media_type="application/json")
        if not is_body_allowed_for_status_code(status):
            response.body = b""
        if noted is not None:
            response.headers.raw.extend(noted.headers.raw)
        return response


class DirectRoutes:
    """The routes of an app that can be answered directly; `otherwise` answers the rest.

    Failures are answered by `handlers`, by their class, as FastAPI's exception handlers.
    """

    def __init__(self, routes: Sequence[BaseRoute], handlers: Handlers, otherwise: ASGIApp) -> None:
        self._handlers = handlers
        self._otherwise = otherwise
        self._fixed: dict[tuple[str, str], DirectRoute | None] = {}
        self._patterns: dict[tuple[str, int], list[tuple[Pattern[str], DirectRoute | None]]] = {}
        self.left_out: list[str] = []
        """Routes that only FastAPI can answer."""
        for context in iter_route_contexts(routes):
            if not self._add(context):
                break

    def _add(self, context: RouteContext) -> bool:
        """Note a route; false when it may take addresses of any shape, after which the order of routes cannot be kept."""
        convertors = getattr(context, "param_convertors", None)
        if convertors is None or any(type(one) is not StringConvertor for one in convertors.values()):
            return False
        path, pattern = str(context.path), context.path_regex
        try:
            if not isinstance(context.original_route, APIRoute):
                raise NotPlain
            direct: DirectRoute | None = DirectRoute(context)
        except NotPlain:
            direct = None
            if isinstance(context.original_route, APIRoute):
                self.left_out.append(path)
        for method in context.methods or ():
            similar = self._patterns.setdefault((method, path.count("/")), [])
            if convertors:
                similar.append((pattern, direct))
            elif not any(earlier.match(path) for earlier, _ in similar):
                self._fixed.setdefault((method, path), direct)
        return True

    def _find(self, scope: Scope) -> tuple[DirectRoute | None, dict[str, str]]:
        method, path = scope["method"], scope["path"]
        if (method, path) in self._fixed:
            return self._fixed[method, path], {}
        for pattern, route in self._patterns.get((method, path.count("/")), ()):
            if found := pattern.match(path):
                return route, found.groupdict()
        return None, {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        direct, parameters = self._find(scope) if scope["type"] == "http" and not scope.get("root_path") else (None, {})
        if direct is None:
            await self._otherwise(scope, receive, send)
            return
        scope["route"], scope["path_params"] = direct.route, parameters
        request = DirectRequest(scope, receive, send)
        try:
            response = await direct.answer(request)
        except Exception as error:
            handler = next((self._handlers[kind] for kind in type(error).__mro__ if kind in self._handlers), None)
            if handler is None:
                raise
            response = await handler(request, error)
        await response(scope, receive, send)


def _noted() -> Response:
    """What an endpoint notes headers and a status on."""
    response = Response()
    del response.headers["content-length"]
    response.status_code = None  # type: ignore[assignment] # as FastAPI has it
    return response


async def _body(request: Request) -> Any:
    """JSON's value, bytes that are none, or `Undefined`."""
    try:
        content = await request.body()
        if not content:
            return Undefined
        return await request.json() if _is_json(request.headers.get("content-type")) else content
    except json.JSONDecodeError as error:
        problem = {
            "type": "json_invalid",
            "loc": ("body", error.pos),
            "msg": "JSON decode error",
            "input": {},
            "ctx": {"error": error.msg},
        }
        raise RequestValidationError([problem], body=error.doc) from error
    except Exception as error:
        raise HTTPException(400, "There was an error parsing the body") from error


@lru_cache(maxsize=64)
def _is_json(content_type: str | None) -> bool:
    if not content_type:
        return False
    message = email.message.Message()
    message["content-type"] = content_type
    subtype = message.get_content_subtype()
    return message.get_content_maintype() == "application" and (subtype == "json" or subtype.endswith("+json"))
