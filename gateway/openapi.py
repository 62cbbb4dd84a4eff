"""The public description of the API: the services' own OpenAPI documents, merged into one. Pure.

Only what the route table lets through is in it, with the table's word on who may call. The result depends on the
documents alone, not on their order.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from gateway.examples import Examples
from gateway.routing import Route, RouteTable
from gateway.security import access, security_schemes
from gateway.tags import CHAPTERS, chapter_of

Json = dict[str, Any]

_METHODS = ("get", "post", "put", "patch", "delete")
_ABBREVIATIONS = frozenset({"kyc", "jwks", "csv", "pdf", "sms", "totp", "api", "id", "url"})
_PROBLEM = "application/problem+json"
_EXEMPLIFIED = ("application/json", "application/x-www-form-urlencoded")
_SCHEMA_REFERENCE = "#/components/schemas/"


def merge(documents: Mapping[str, Json], table: RouteTable, *, info: Json, server_url: str) -> Json:
    """One OpenAPI 3.1 document of those of the services, by service name."""
    documents = {name: documents[name] for name in sorted(documents)}
    names = _new_schema_names({name: _schemas(document) for name, document in documents.items()})
    paths: dict[str, Json] = {}
    schemas: Json = {}
    taken: set[str] = set()
    for service, document in documents.items():
        for path, item in sorted(document.get("paths", {}).items()):
            for method, operation in _public_operations(service, path, item, table):
                operation = _renamed(operation, names[service])
                operation = _for_readers(operation)
                operation["operationId"] = _unused(operation.get("operationId") or f"{method}_{path}", service, taken)
                paths.setdefault(path, {})[method] = operation
        schemas |= {names[service][name]: _renamed(schema, names[service]) for name, schema in _schemas(document).items()}
    _add_examples(paths, Examples(schemas))
    return {
        "openapi": "3.1.0",
        "info": info,
        "servers": [{"url": server_url}],
        "tags": _tags(paths),
        "paths": {path: paths[path] for path in sorted(paths, key=_reading_order(table))},
        "components": {"schemas": _reachable(paths, schemas), "securitySchemes": security_schemes(server_url)},
    }


def _schemas(document: Json) -> Json:
    found: Json = document.get("components", {}).get("schemas", {})
    return found


def _public_operations(service: str, path: str, item: Json, table: RouteTable) -> Iterator[tuple[str, Json]]:
    shared = item.get("parameters", [])
    for method in _METHODS:
        if method not in item:
            continue
        route = table.find(method.upper(), _plain(path))
        if isinstance(route, Route) and route.service == service:
            operation = dict(item[method])
            if shared:
                operation["parameters"] = [*shared, *operation.get("parameters", [])]
            chapter = chapter_of(_plain(path))
            tags = {"tags": [chapter.name]} if chapter else {}
            yield method, operation | tags | access(route, method)


def _plain(path: str) -> str:
    """The path with `-` for each parameter, whatever the service calls it."""
    return re.sub(r"\{[^}]*\}", "-", path)


def _reading_order(table: RouteTable) -> Callable[[str], tuple[int, int, str]]:
    """Paths in the order of the chapters, and within each in that of the route table."""
    places: dict[str, int] = {}
    for place, route in enumerate(table.routes):
        places.setdefault(_plain(route.pattern), place)

    def order(path: str) -> tuple[int, int, str]:
        chapter = chapter_of(_plain(path))
        number = CHAPTERS.index(chapter) if chapter else len(CHAPTERS)
        return number, places.get(_plain(path), len(places)), path

    return order


def _for_readers(operation: Json) -> Json:
    """What FastAPI derives from names in code, as people write it."""
    operation = _in_sentence_case(operation)
    if parameters := operation.get("parameters"):
        operation["parameters"] = [_header_as_written(parameter) for parameter in parameters]
    operation["responses"] = {status: _described(status, answer) for status, answer in operation.get("responses", {}).items()}
    return operation


def _add_examples(paths: Mapping[str, Json], examples: Examples) -> None:
    """An example for each JSON body and each form that has a schema and none of its own."""
    for operation in (operation for item in paths.values() for operation in item.values()):
        request = operation.get("requestBody", {}).get("content", {})
        answers = [answer.get("content", {}) for status, answer in operation["responses"].items() if status != "default"]
        for contents, make in ((request, examples.request), *((answer, examples.response) for answer in answers)):
            for content in (contents[media_type] for media_type in _EXEMPLIFIED if media_type in contents):
                if content.get("schema") and not {"example", "examples"} & content.keys():
                    content["example"] = make(content["schema"])


def _header_as_written(parameter: Json) -> Json:
    if parameter.get("in") != "header":
        return parameter
    name = parameter["name"]
    if name == name.lower():  # made of a name in code
        name = "-".join(word.capitalize() for word in name.split("-"))
    if name == "Idempotency-Key":
        # Mostly it is optional in the services' code only so that its absence gets an answer of its own.
        required = not parameter["schema"].get("x-optional", False)
        return parameter | {"name": name, "required": required, "schema": {"type": "string", "minLength": 1, "maxLength": 255}}
    return parameter | {"name": name}


def _described(status: str, answer: Json) -> Json:
    content = answer.get("content", {})
    if _PROBLEM in content:  # the only form that a problem comes in, though FastAPI adds its usual one
        answer = answer | {"content": {_PROBLEM: content[_PROBLEM]}}
    if answer.get("description") != "Successful Response":
        return answer
    return answer | {"description": HTTPStatus(int(status)).phrase}


def _in_sentence_case(operation: Json) -> Json:
    """`List Kyc Submissions`, which FastAPI makes of a function's name, becomes `List KYC submissions`."""
    words = str(operation.get("operationId", "")).split("_")
    if operation.get("summary") != " ".join(words).title():
        return operation
    sentence = " ".join(word.upper() if word in _ABBREVIATIONS else word for word in words)
    return operation | {"summary": sentence[:1].upper() + sentence[1:]}


def _unused(operation_id: str, service: str, taken: set[str]) -> str:
    name = operation_id if operation_id not in taken else f"{service}_{operation_id}"
    taken.add(name)
    return name


def _new_schema_names(schemas: Mapping[str, Json]) -> dict[str, dict[str, str]]:
    """For each service, its schemas' names in the merged document.

    A name that means the same everywhere stays. One that does not gets its service in front, and so does one that
    refers to such a name, for it differs too.
    """
    variants: dict[str, dict[str, str]] = {}
    for service, own in schemas.items():
        for name, schema in own.items():
            variants.setdefault(name, {})[service] = json.dumps(schema, sort_keys=True)
    clashing = {name for name, texts in variants.items() if len(set(texts.values())) > 1}
    several = {name: next(iter(texts.values())) for name, texts in variants.items() if len(texts) > 1}
    while True:
        more = {name for name, text in several.items() if not clashing.isdisjoint(_references(json.loads(text)))}
        if more <= clashing:
            break
        clashing |= more
    return {
        service: {name: f"{_prefix(service)}{name}" if name in clashing else name for name in own}
        for service, own in schemas.items()
    }


def _prefix(service: str) -> str:
    return service.replace("_", " ").title().replace(" ", "")


def _references(value: Any) -> Iterator[str]:
    """The names of the schemas that a piece of a document refers to."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref" and isinstance(inner, str) and inner.startswith(_SCHEMA_REFERENCE):
                yield inner.removeprefix(_SCHEMA_REFERENCE)
            elif key == "mapping" and isinstance(inner, dict):
                yield from (str(target).removeprefix(_SCHEMA_REFERENCE) for target in inner.values())
            else:
                yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """A copy of a piece of a document in which references follow `names`."""
    if isinstance(value, dict):
        return {key: _renamed(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [_renamed(inner, names) for inner in value]
    if isinstance(value, str) and value.startswith(_SCHEMA_REFERENCE):
        name = value.removeprefix(_SCHEMA_REFERENCE)
        return _SCHEMA_REFERENCE + names.get(name, name)
    return value


def _reachable(paths: Json, schemas: Json) -> Json:
    """The schemas that public operations use, directly or through others."""
    found: set[str] = set()
    pending = list(_references(paths))
    while pending:
        name = pending.pop()
        if name not in found and name in schemas:
            found.add(name)
            pending.extend(_references(schemas[name]))
    return {name: schemas[name] for name in sorted(found)}


def _tags(paths: Mapping[str, Json]) -> list[Json]:
    """The tags in use: the chapters in their order, then others by name."""
    used = {tag for item in paths.values() for operation in item.values() for tag in operation.get("tags", [])}
    chapters = [{"name": chapter.name, "description": chapter.description} for chapter in CHAPTERS if chapter.name in used]
    others = sorted(used - {chapter.name for chapter in CHAPTERS})
    return [*chapters, *({"name": name} for name in others)]
