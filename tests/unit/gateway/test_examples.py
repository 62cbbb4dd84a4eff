"""Examples made from schemas."""

from typing import Any

from gateway.examples import Examples

SCHEMAS: dict[str, Any] = {
    "Person": {"type": "object", "properties": {"email": {"type": "string"}}, "example": {"email": "amina@example.com"}},
    "Order": {
        "type": "object",
        "required": ["amount", "to"],
        "properties": {
            "amount": {"type": "integer", "minimum": 1, "examples": [12500]},
            "to": {"$ref": "#/components/schemas/Person"},
            "note": {"anyOf": [{"type": "string", "minLength": 6}, {"type": "null"}], "examples": ["Lunch, thanks"]},
            "due_on": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
            "kind": {"type": "string", "enum": ["now", "later"], "default": "later"},
            "lines": {"type": "array", "items": {"type": "string", "format": "uuid"}},
        },
    },
    "Endless": {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Endless"}}},
}
ORDER = {"$ref": "#/components/schemas/Order"}
EXAMPLES = Examples(SCHEMAS)


def test_a_request_has_what_is_needed_or_worth_an_example() -> None:
    assert EXAMPLES.request(ORDER) == {"amount": 12500, "to": {"email": "amina@example.com"}, "note": "Lunch, thanks"}


def test_a_request_without_needs_shows_everything() -> None:
    schema = {"type": "object", "properties": {"reason": {"type": "string", "minLength": 6}, "count": {"type": "integer"}}}
    assert EXAMPLES.request(schema) == {"reason": "texttt", "count": 1}


def test_a_response_shows_every_field() -> None:
    shown = EXAMPLES.response(ORDER)
    assert set(shown) == {"amount", "to", "note", "due_on", "kind", "lines"}
    assert shown["due_on"] is None
    assert shown["kind"] == "now"
    assert shown["lines"] == ["01980a2e-7c3b-7b1e-9c55-2f6d0e1b4a77"]


def test_names_tell_what_texts_look_like() -> None:
    for name, value in (("created_at", "2026-01-31T09:30:00Z"), ("paid_on", "2026-01-31"), ("currency", "KES")):
        assert EXAMPLES.response({"type": "object", "properties": {name: {"type": "string"}}}) == {name: value}


def test_schemas_that_hold_themselves_end() -> None:
    assert EXAMPLES.response({"$ref": "#/components/schemas/Endless"})
