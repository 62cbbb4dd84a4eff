"""The generated documents: valid, complete, the same every time, and noticed when they are out of date."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import jsonschema
import pytest

import shared.contracts
from shared.contracts.generate import differences, render, write
from shared.messaging.envelope import Command, Envelope, Event
from shared.messaging.registry import messages_in


class Opened(Event):
    """A thing was opened.

    More about that.
    """

    type: ClassVar[str] = "generate_tests.thing.opened"

    amount_minor: int
    note: str | None = None


class OpenedBetter(Event):
    """A thing was opened, with a list."""

    type: ClassVar[str] = "generate_tests.thing.opened"
    version: ClassVar[int] = 2

    amounts_minor: list[int]


class Open(Command):
    """Open a thing."""

    type: ClassVar[str] = "generate_tests.thing.open"


def test_every_contract_has_a_valid_schema() -> None:
    files = render()
    for name, version in messages_in(shared.contracts):
        assert f"schemas/{name}.v{version}.json" in files
    for path, content in files.items():
        if path.startswith("schemas/"):
            jsonschema.Draft202012Validator.check_schema(json.loads(content))


def test_a_message_as_it_travels_is_valid_by_its_schema_and_the_envelopes() -> None:
    files = render([Opened])
    sent = Envelope.of(
        Opened(amount_minor=5), id=uuid4(), source="t", time=datetime.now(UTC), aggregate_id="a", correlation_id="c"
    )
    body = json.loads(sent.to_json())
    jsonschema.validate(body, json.loads(files["schemas/envelope.json"]))
    schema = json.loads(files["schemas/generate_tests.thing.opened.v1.json"])
    jsonschema.validate(body["data"], schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"amount_minor": "5"}, schema)


def test_the_asyncapi_document_is_closed() -> None:
    """Every reference leads somewhere, in the document or to a generated file."""
    files = render()
    document = json.loads(files["asyncapi.json"])
    references = re.findall(r'"\$ref": "([^"]+)"', files["asyncapi.json"])
    assert references
    for reference in references:
        if reference.startswith("./"):
            assert reference.removeprefix("./") in files
        else:
            target: Any = document
            for part in reference.removeprefix("#/").split("/"):
                target = target[part]


def test_versions_share_a_channel_and_kinds_differ() -> None:
    document = json.loads(render([OpenedBetter, Open, Opened])["asyncapi.json"])
    opened = document["channels"]["generate_tests.thing.opened"]
    assert list(opened["messages"]) == ["generate_tests.thing.opened.v1", "generate_tests.thing.opened.v2"]
    assert opened["bindings"]["amqp"]["exchange"]["type"] == "topic"
    assert document["channels"]["generate_tests.thing.open"]["bindings"]["amqp"]["exchange"]["type"] == "direct"
    assert {name: one["action"] for name, one in document["operations"].items()} == {
        "generate_tests.thing.open": "receive",
        "generate_tests.thing.opened": "send",
    }


def test_the_catalogue_shows_the_fields() -> None:
    catalogue = render([Opened])["README.md"]
    assert "### [generate_tests.thing.opened](schemas/generate_tests.thing.opened.v1.json)" in catalogue
    assert "| `amount_minor` | integer |" in catalogue
    assert "| `note` | string or null | optional. |" in catalogue


def test_the_order_of_the_classes_does_not_matter() -> None:
    assert render([Opened, OpenedBetter, Open]) == render([Open, Opened, OpenedBetter])


def test_differences_are_named_and_writing_ends_them(tmp_path: Path) -> None:
    files = render([Opened])
    write(tmp_path, files)
    assert differences(tmp_path, files) == []
    (tmp_path / "schemas" / "old.json").write_text("{}")
    (tmp_path / "README.md").write_text("changed")
    (tmp_path / "asyncapi.json").unlink()
    assert differences(tmp_path, files) == [
        "differs: README.md",
        "left over: schemas/old.json",
        "missing: asyncapi.json",
    ]
    write(tmp_path, files)
    assert differences(tmp_path, files) == []
