"""What an endpoint is called with, worked out once, when the app is built.

FastAPI goes through every parameter of every dependency anew for each request; for a route with a caller, a key and a body
that takes longer than all the rest of the HTTP layer together. A plan is the same work in a list: each dependency once, in
order, with what it takes from the request and from those before it. FastAPI's own fields validate, so that values, defaults
and errors are the same. What only FastAPI can do is left to it: see `NotPlain`.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi._compat import ModelField, Undefined, get_missing_field_error, is_scalar_field
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_params_to_args
from fastapi.params import Param

_FAILED = object()
"""Stands for the result of a dependency that was not called, because what it takes was refused."""


class NotPlain(Exception):
    """The route uses something that only FastAPI does: a dependency that is no coroutine function, or one with `yield`,
    forms, several bodies, OAuth scopes, background tasks."""


@dataclass(frozen=True, slots=True)
class _Scalar:
    """A parameter with one value, under one name."""

    name: str
    alias: str
    location: tuple[str, str]
    field: ModelField

    def read(self, source: Mapping[str, Any], into: dict[str, Any], errors: list[Any]) -> bool:
        value = source.get(self.alias)
        return _validated(self.name, self.field, Undefined if value is None else value, self.location, into, errors)


@dataclass(frozen=True, slots=True)
class _Unusual:
    """A list, a model, a parameter of several names: FastAPI reads it."""

    field: ModelField

    def read(self, source: Mapping[str, Any], into: dict[str, Any], errors: list[Any]) -> bool:
        values, refused = request_params_to_args([self.field], source)
        into.update(values)
        errors.extend(refused)
        return not refused


@dataclass(frozen=True, slots=True)
class _Step:
    """One call: a dependency, or in the end the endpoint. `needs` are results of earlier steps, by their places."""

    call: Callable[..., Awaitable[Any]]
    needs: tuple[int, ...]
    results: tuple[tuple[str, int], ...]
    parameters: tuple[tuple[str, tuple[_Scalar | _Unusual, ...]], ...]
    requests: tuple[str, ...]
    response: str | None

    def arguments(self, request: Request, response: Response | None, done: list[Any], errors: list[Any]) -> dict[str, Any] | None:
        """What to call it with; None when something was refused, which `errors` then say."""
        good = not errors or all(done[place] is not _FAILED for place in self.needs)
        given = {name: done[place] for name, place in self.results}
        for source, parameters in self.parameters:
            values = getattr(request, source)
            for parameter in parameters:
                good = parameter.read(values, given, errors) and good
        for name in self.requests:
            given[name] = request
        if self.response is not None:
            given[self.response] = response
        return given if good else None


class Plan:
    """How to call one endpoint. Raises `NotPlain` where only FastAPI can."""

    def __init__(self, dependant: Dependant) -> None:
        self._steps: list[_Step] = []
        self._places: dict[Any, int] = {}
        if len(dependant.body_params) > 1:
            raise NotPlain
        self._body = dependant.body_params[0] if dependant.body_params else None
        self._add(dependant)
        *self._before, self._endpoint = self._steps
        self.wants_response = any(step.response is not None for step in self._steps)

    @property
    def endpoint(self) -> Callable[..., Awaitable[Any]]:
        """What is called in the end."""
        return self._endpoint.call

    async def arguments(self, request: Request, response: Response | None, body: Any) -> tuple[dict[str, Any], list[Any]]:
        """What to call the endpoint with, and what was refused. `body` is JSON's value, or `Undefined` without one.

        Raises what a dependency raises.
        """
        done: list[Any] = []
        errors: list[Any] = []
        for step in self._before:
            given = step.arguments(request, response, done, errors)
            done.append(_FAILED if given is None else await step.call(**given))
        arguments = self._endpoint.arguments(request, response, done, errors)
        if self._body is not None:
            into: dict[str, Any] = {} if arguments is None else arguments
            _validated(self._body.name, self._body, body, ("body",), into, errors)
        return arguments or {}, errors

    def _add(self, dependant: Dependant) -> int:
        """The place of the step for `dependant`, after those of what it depends on."""
        call = dependant.call
        if call is None or not (inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(type(call).__call__)):
            raise NotPlain
        needs = [(one.name, self._place(one)) for one in dependant.dependencies]
        sources = {
            "path_params": dependant.path_params,
            "query_params": dependant.query_params,
            "headers": dependant.header_params,
            "cookies": dependant.cookie_params,
        }
        unknown = (
            dependant.websocket_param_name,
            dependant.background_tasks_param_name,
            dependant.security_scopes_param_name,
        )
        if any(unknown):
            raise NotPlain
        self._steps.append(
            _Step(
                call,
                needs=tuple(place for _, place in needs),
                results=tuple((name, place) for name, place in needs if name is not None),
                parameters=tuple((source, _parameters(fields)) for source, fields in sources.items() if fields),
                requests=tuple(filter(None, (dependant.http_connection_param_name, dependant.request_param_name))),
                response=dependant.response_param_name,
            )
        )
        return len(self._steps) - 1

    def _place(self, dependency: Dependant) -> int:
        scopes = dependency.own_oauth_scopes or dependency.parent_oauth_scopes
        if dependency.body_params or scopes or not dependency.use_cache or dependency.scope or dependency.concurrency:
            raise NotPlain
        if dependency.call not in self._places:
            self._places[dependency.call] = self._add(dependency)
        return self._places[dependency.call]


def _parameters(fields: Sequence[ModelField]) -> tuple[_Scalar | _Unusual, ...]:
    return tuple(_scalar(field) or _Unusual(field) for field in fields)


def _scalar(field: ModelField) -> _Scalar | None:
    info = field.field_info
    if not isinstance(info, Param) or not is_scalar_field(field) or info.validation_alias not in (None, info.alias):
        return None
    return _Scalar(field.name, field.alias, (info.in_.value, field.alias), field)


def _validated(
    name: str, field: ModelField, value: Any, location: tuple[str, ...], into: dict[str, Any], errors: list[Any]
) -> bool:
    """Put the value into `into`, or say in `errors` why not."""
    if value is Undefined:
        if field.field_info.is_required():
            errors.append(get_missing_field_error(location))
            return False
        value = deepcopy(field.default)
        if not field.field_info.validate_default:
            into[name] = value
            return True
    good, refused = field.validate(value, {}, loc=location)
    if refused:
        errors.extend(refused)
        return False
    into[name] = good
    return True
