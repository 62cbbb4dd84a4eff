"""From a type and version on the wire to the class that reads it."""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType

from pydantic import ValidationError

from shared.crypto import Undecryptable, Vault
from shared.messaging.envelope import Envelope, Message
from shared.messaging.sealing import payload_in

Registry = Mapping[tuple[str, int], type[Message]]


class Undecodable(Exception):
    """This message can never be read by this version of the program."""


class UnknownType(Undecodable):
    """No class reads messages of this type."""


class UnknownVersion(Undecodable):
    """The type is known, but not in this version: the sender is newer (or much older) than we are."""


class InvalidData(Undecodable):
    """The payload does not have the shape that its type and version promise."""


def registry_of(classes: Iterable[type[Message]]) -> Registry:
    """Index `classes` by type and version. Raises `ValueError` when two claim the same."""
    found: dict[tuple[str, int], type[Message]] = {}
    for message in classes:
        for version in versions_of(message):
            key = (message.type, version)
            if found.setdefault(key, message) is not message:
                raise ValueError(f"{message.__name__} and {found[key].__name__} are both {key[0]} version {key[1]}")
    return found


def versions_of(message: type[Message]) -> tuple[int, ...]:
    """The versions that the class reads."""
    return (message.version, *message.clear_versions)


def messages_in(package: ModuleType) -> Registry:
    """Every message defined in the modules of `package`, which are imported for it."""
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith(".__main__"):
            importlib.import_module(module.name)
    inside = package.__name__ + "."
    return registry_of(
        sorted(
            (found for found in _subclasses(Message) if found.__module__.startswith(inside)),
            key=lambda found: (found.type, found.version),
        )
    )


def _subclasses(base: type[Message]) -> Iterator[type[Message]]:
    for found in base.__subclasses__():
        if hasattr(found, "type"):
            yield found
        yield from _subclasses(found)


def decode(envelope: Envelope, registry: Registry, vault: Vault | None = None) -> Message:
    """The payload as its class; `vault` opens what is sealed in it. Raises `Undecodable`."""
    found = registry.get((envelope.type, envelope.dataversion))
    if found is None:
        versions = [version for name, version in registry if name == envelope.type]
        if versions:
            raise UnknownVersion(f"{envelope.type} version {envelope.dataversion}; readable: {sorted(versions)}")
        raise UnknownType(envelope.type)
    try:
        return found.model_validate(payload_in(envelope, found, vault))
    except Undecryptable as error:
        raise InvalidData(f"{envelope.type} version {envelope.dataversion}: {error}") from error
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, item["loc"])) + ": " + item["msg"] for item in error.errors())
        raise InvalidData(f"{envelope.type} version {envelope.dataversion}: {fields}") from error
