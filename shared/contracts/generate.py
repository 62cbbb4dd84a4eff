"""Writes docs/events/: a JSON Schema for each message, the AsyncAPI document and a catalogue for people.

`python -m shared.contracts.generate` writes; with `--check` it changes nothing and exits 1 when the files differ from the
code, listing how.
"""

import argparse
import inspect
import json
import sys
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import shared.contracts
from shared.messaging.envelope import Command, Envelope, Message
from shared.messaging.registry import messages_in, versions_of
from shared.messaging.sealing import NAME

DIRECTORY = Path(__file__).parents[2] / "docs" / "events"
_JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"
_ENVELOPE = "schemas/envelope.json"


def render(messages: Iterable[type[Message]] | None = None) -> dict[str, str]:
    """The files, from path below `docs/events/` to content. Default: every message of `shared.contracts`."""
    found = list(dict.fromkeys(messages if messages is not None else messages_in(shared.contracts).values()))
    found.sort(key=lambda message: (message.type, message.version))
    files = {
        _path_of(message, version): _json(_schema_of(message, version)) for message in found for version in versions_of(message)
    }
    files[_ENVELOPE] = _json({"$schema": _JSON_SCHEMA, **Envelope.model_json_schema()})
    files["asyncapi.json"] = _json(_asyncapi(found))
    files["README.md"] = _catalogue(found)
    return files


def differences(directory: Path, files: Mapping[str, str]) -> list[str]:
    """What would change in `directory`, a line each."""
    present = {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}
    changed = [f"missing: {path}" for path in files.keys() - present]
    changed += [f"left over: {path}" for path in present - files.keys()]
    changed += [f"differs: {path}" for path in present & files.keys() if (directory / path).read_text("utf-8") != files[path]]
    return sorted(changed)


def write(directory: Path, files: Mapping[str, str]) -> None:
    """Make `directory` hold exactly `files`."""
    for change in differences(directory, files):
        what, path = change.split(": ", 1)
        if what == "left over":
            (directory / path).unlink()
        else:
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).write_text(files[path], "utf-8")


def _path_of(message: type[Message], version: int | None = None) -> str:
    return f"schemas/{message.type}.v{version or message.version}.json"


def _json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _schema_of(message: type[Message], version: int) -> dict[str, Any]:
    """What every payload of this version has. Readers must allow for more: fields may be added."""
    schema = _on_the_wire(message) if version == message.version else message.model_json_schema()
    return {"$schema": _JSON_SCHEMA, "$comment": f"{message.type} version {version}", **schema}


def _on_the_wire(message: type[Message]) -> dict[str, Any]:
    """The schema of the present version, with one text in the place of fields that are sealed."""
    schema = message.model_json_schema()
    if message.sealed_fields:
        inside = [name for name in schema["properties"] if name in message.sealed_fields]
        schema["properties"] = {name: field for name, field in schema["properties"].items() if name not in inside}
        schema["properties"][NAME] = {"type": "string", "description": f"Sealed for the platform's services: {', '.join(inside)}"}
        schema["required"] = [name for name in schema["required"] if name not in inside] + [NAME]
    return schema


def _is_command(message: type[Message]) -> bool:
    return issubclass(message, Command)


def _summary(message: type[Message]) -> str:
    return " ".join((inspect.getdoc(message) or "").split("\n\n")[0].split())


def _asyncapi(messages: list[type[Message]]) -> dict[str, Any]:
    """The platform as an application: it sends events, and receives commands (from itself)."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for name, versions in groupby(messages, key=lambda message: message.type):
        of_type = list(versions)
        exchange = (
            {"name": "lendery.commands", "type": "direct"}
            if _is_command(of_type[0])
            else {"name": "lendery.events", "type": "topic"}
        )
        channels[name] = {
            "address": name,
            "messages": {_key(one): {"$ref": f"#/components/messages/{_key(one)}"} for one in of_type},
            "bindings": {"amqp": {"is": "routingKey", "exchange": {**exchange, "durable": True}, "bindingVersion": "0.3.0"}},
        }
        operations[name] = {
            "action": "receive" if _is_command(of_type[0]) else "send",
            "channel": {"$ref": f"#/channels/{name}"},
            "messages": [{"$ref": f"#/channels/{name}/messages/{_key(one)}"} for one in of_type],
        }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Lendery messages",
            "version": "1",
            "description": "Events and commands between the services. CloudEvents 1.0 in the structured JSON format.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": {_key(message): _asyncapi_message(message) for message in messages}},
    }


def _key(message: type[Message]) -> str:
    return f"{message.type}.v{message.version}"


def _asyncapi_message(message: type[Message]) -> dict[str, Any]:
    return {
        "name": message.type,
        "title": message.__name__,
        "summary": _summary(message),
        "contentType": "application/cloudevents+json",
        "payload": {
            "allOf": [
                {"$ref": f"./{_ENVELOPE}"},
                {
                    "type": "object",
                    "properties": {
                        "type": {"const": message.type},
                        "dataversion": {"const": message.version},
                        "kind": {"const": "command" if _is_command(message) else "event"},
                        "data": {"$ref": f"./{_path_of(message)}"},
                    },
                },
            ]
        },
    }


def _catalogue(messages: list[type[Message]]) -> str:
    lines = [
        "# Messages between the services",
        "",
        "Generated by `make contracts` from `shared/contracts/`; do not edit. An **event** tells whoever subscribes that",
        "something happened. A **command** asks one service, the first part of its type, to do something. Each travels in",
        "a [CloudEvents envelope](schemas/envelope.json). For programs: [asyncapi.json](asyncapi.json), and the JSON Schema",
        "of each message. Within a version only optional fields are added; ignore fields that you do not know.",
    ]
    for owner, owned in groupby(messages, key=lambda message: message.type.split(".")[0]):
        lines += ["", f"## {owner}"]
        for message in owned:
            lines += ["", *_entry(message)]
    return "\n".join(lines) + "\n"


def _entry(message: type[Message]) -> list[str]:
    kind = "command" if _is_command(message) else "event"
    title = f"### [{message.type}]({_path_of(message)})"
    lines = [title, "", f"{kind.capitalize()}, version {message.version}. {inspect.getdoc(message) or ''}"]
    schema = _on_the_wire(message)
    required = set(schema.get("required", ()))
    if schema.get("properties"):
        lines += ["", "| field | type | |", "| --- | --- | --- |"]
    for name, field in schema.get("properties", {}).items():
        notes = ("" if name in required else "optional. ") + field.get("description", "")
        lines.append(f"| `{name}` | {_type_name(field)} | {notes.strip()} |")
    return lines


def _type_name(field: Mapping[str, Any]) -> str:
    """The type of a field in a word or two, for people."""
    if "anyOf" in field:
        return " or ".join(_type_name(one) for one in field["anyOf"])
    if "$ref" in field:
        return str(field["$ref"]).rsplit("/", 1)[-1]
    if "enum" in field or "const" in field:
        return ", ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    if field.get("type") == "array":
        return f"list of {_type_name(field.get('items', {}))}"
    if "oneOf" in field:
        return " or ".join(_type_name(one) for one in field["oneOf"])
    return str(field.get("format") or field.get("type", "any"))


def main() -> int:
    """Write or check; the exit code."""
    parser = argparse.ArgumentParser(description="Generate docs/events/ from shared/contracts/.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when the files are out of date")
    arguments = parser.parse_args()
    files = render()
    if not arguments.check:
        write(DIRECTORY, files)
        return 0
    changed = differences(DIRECTORY, files)
    for change in changed:
        sys.stderr.write(f"docs/events: {change}\n")
    if changed:
        sys.stderr.write("Run `make contracts` and commit the result.\n")
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
