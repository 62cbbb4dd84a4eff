"""Examples of request and response bodies, made from their schemas. Pure.

What a schema gives as an example comes first; else our names and formats tell what a value looks like. A request shows
what it needs and what its schema thought worth an example, so that sending it as it stands is a good start; a response
shows everything.
"""

import re
from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

_MAX_DEPTH = 8
_ID = "01980a2e-7c3b-7b1e-9c55-2f6d0e1b4a77"
_BY_FORMAT = {
    "uuid": _ID,
    "date": "2026-01-31",
    "date-time": "2026-01-31T09:30:00Z",
    "email": "amina@example.com",
    "uri": "https://example.com/",
    "base64": "JVBERi0xLjQK",
}
_BY_NAME = (
    (re.compile(r"_at$|^at$"), "2026-01-31T09:30:00Z"),
    (re.compile(r"_on$|^date|^from$|^to$|^good_through$"), "2026-01-31"),
    (re.compile(r"_url$"), "https://example.com/"),
    (re.compile(r"email$"), "amina@example.com"),
    (re.compile(r"phone$"), "+254700000000"),
    (re.compile(r"country$"), "KE"),
    (re.compile(r"currency$"), "KES"),
    (re.compile(r"(^|_)rate$"), "0.1850"),
    (re.compile(r"access_token$"), "eyJhbGciOiJFUzI1NiJ9…"),
    (re.compile(r"token$"), "_40K2cG05URUIz_oT25Elv…"),
    (re.compile(r"full_name$"), "Amina Wanjiru"),
    (re.compile(r"language$"), "en"),
    (re.compile(r"time_zone$"), "Africa/Nairobi"),
    (re.compile(r"idempotency_key$"), "b1c9e7d2"),
    (re.compile(r"_id$"), _ID),
    (re.compile(r"password$"), "correct horse battery staple"),
    (re.compile(r"purpose$"), "A second oven"),
)
_MONEY = 12500
_MONEY_NAMES = re.compile(r"amount$|balance|principal$|debits$|credits$|^total|^paid$|received$")


class Examples:
    """Makes examples by the schemas of one document, `components.schemas` by name."""

    def __init__(self, schemas: Mapping[str, Json]) -> None:
        self._schemas = schemas

    def request(self, schema: Json) -> Any:
        """What a client could send."""
        return self._value(schema, "", everything=False, depth=0)

    def response(self, schema: Json) -> Any:
        """What a client could get."""
        return self._value(schema, "", everything=True, depth=0)

    def _value(self, given: Json, name: str, *, everything: bool, depth: int) -> Any:
        schema = self._resolved(given)
        found, value = _given(schema)
        if found or depth > _MAX_DEPTH:
            return value
        if everything and _may_be_null(given) and schema.get("type") == "string":
            return None  # most often it is
        if "properties" in schema:
            return {
                key: self._value(inner, key, everything=everything, depth=depth + 1)
                for key, inner in self._shown(schema, everything=everything).items()
            }
        if schema.get("type") == "array":
            return [self._value(schema.get("items", {}), name, everything=everything, depth=depth + 1)]
        return _simple(schema, name)

    def _shown(self, schema: Json, *, everything: bool) -> Json:
        properties: Json = schema["properties"]
        required = schema.get("required", ())
        if everything:
            return properties
        return {
            key: inner for key, inner in properties.items() if key in required or _exemplified(self._resolved(inner))
        } or properties

    def _resolved(self, schema: Json) -> Json:
        """References followed, `X or null` reduced to X, the first of several forms taken; what was said on top stays."""
        for _ in range(_MAX_DEPTH):
            own = {key: value for key, value in schema.items() if key not in {"$ref", "anyOf", "oneOf", "allOf"}}
            if "$ref" in schema:
                inner = self._schemas.get(schema["$ref"].rpartition("/")[2], {})
            elif choices := [
                form for kind in ("anyOf", "oneOf", "allOf") for form in schema.get(kind, ()) if form.get("type") != "null"
            ]:
                inner = choices[0]
            else:
                return schema
            # That something is null unless it is given is no example of it.
            schema = inner | {key: value for key, value in own.items() if not (key == "default" and value is None)}
        return {}


def _may_be_null(schema: Json) -> bool:
    return any(form.get("type") == "null" for kind in ("anyOf", "oneOf") for form in schema.get(kind, ()))


def _exemplified(schema: Json) -> bool:
    return "example" in schema or bool(schema.get("examples"))


def _given(schema: Json) -> tuple[bool, Any]:
    """Whether the schema itself says what a value looks like, and that value."""
    for key in ("example", "const"):
        if key in schema:
            return True, schema[key]
    for key in ("examples", "enum"):
        if schema.get(key):
            return True, schema[key][0]
    if schema.get("default") is not None:
        return True, schema["default"]
    return False, None


def _simple(schema: Json, name: str) -> Any:
    kind = schema.get("type")
    if kind in {"integer", "number"}:
        if _MONEY_NAMES.search(name) and schema.get("maximum", _MONEY) >= _MONEY:
            return _MONEY
        return max(schema.get("minimum", 1), 1)
    if kind == "boolean":
        return True
    if kind == "string":
        if schema.get("format") in _BY_FORMAT:
            return _BY_FORMAT[schema["format"]]
        return next((value for pattern, value in _BY_NAME if pattern.search(name)), "text".ljust(schema.get("minLength", 0), "t"))
    return {} if kind == "object" else None
