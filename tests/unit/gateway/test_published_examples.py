"""The public description as a client's author meets it: every body has an example, and its own schema accepts it."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from runtime.documents import openapi_document


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi_document()


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    for name, operation in _operations(document):
        assert operation.get("description"), name
        assert operation.get("summary"), name
        assert set(operation["responses"]["default"]["content"]) == {"application/problem+json"}, name


def test_every_request_has_an_example_that_fits(document: dict[str, Any]) -> None:
    for name, operation in _operations(document):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            schema = content["schema"] | {"components": document["components"]}
            assert content["example"], name
            jsonschema.validate(content["example"], schema, cls=jsonschema.Draft202012Validator)


def test_every_answer_has_an_example_that_fits(document: dict[str, Any]) -> None:
    for name, operation in _operations(document):
        for status, answer in operation["responses"].items():
            content = answer.get("content", {}).get("application/json", {})
            if status == "default" or not content.get("schema"):
                continue
            jsonschema.validate(
                content["example"],
                content["schema"] | {"components": document["components"]},
                cls=jsonschema.Draft202012Validator,
            )
            assert content["example"] not in (None, {}), name


def test_a_key_is_required_where_money_moves_and_only_there(document: dict[str, Any]) -> None:
    required = {
        name: parameter["required"]
        for name, operation in _operations(document)
        for parameter in operation.get("parameters", [])
        if parameter["name"] == "Idempotency-Key"
    }
    assert required["POST /v1/transfers"]
    assert required["POST /v1/loans/{loan_id}/investments"]
    assert not required["POST /v1/loans"]


def test_what_opens_a_session_asks_how_it_is_to_be_held(document: dict[str, Any]) -> None:
    asking = {name for name, operation in _operations(document) if "X-Session-Mode" in _parameters(operation)}
    opening = {name for name, operation in _operations(document) if "CookieSessionView" in json.dumps(operation["responses"])}
    of_a_session = {"POST /v1/auth/refresh", "POST /v1/auth/step-up"}
    assert asking == opening - of_a_session
    assert "POST /v1/auth/login" in asking


def _parameters(operation: dict[str, Any]) -> set[str]:
    return {parameter["name"] for parameter in operation.get("parameters", [])}


def test_money_goes_to_one_recipient(document: dict[str, Any]) -> None:
    example = document["paths"]["/v1/transfers"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert len(example["to"]) == 1
