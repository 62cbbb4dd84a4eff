"""From wire to class: known types and versions only, and precise about why not."""

from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import uuid4

import pytest

import shared.contracts
from shared.messaging.envelope import Envelope, Event
from shared.messaging.registry import InvalidData, UnknownType, UnknownVersion, decode, messages_in, registry_of


class Opened(Event):
    type: ClassVar[str] = "registry.thing.opened"

    count: int


class OpenedDifferently(Event):
    type: ClassVar[str] = "registry.thing.opened"
    version: ClassVar[int] = 2

    counts: list[int]


def envelope(**changes: Any) -> Envelope:
    wrapped = Envelope.of(Opened(count=1), id=uuid4(), source="t", time=datetime.now(UTC), aggregate_id="a", correlation_id="c")
    return wrapped.model_copy(update=changes)


def test_type_and_version_choose_the_class() -> None:
    registry = registry_of([Opened, OpenedDifferently])
    assert decode(envelope(), registry) == Opened(count=1)
    assert decode(envelope(dataversion=2, data={"counts": [1]}), registry) == OpenedDifferently(counts=[1])


def test_a_newer_version_is_not_read_as_an_older_one() -> None:
    with pytest.raises(UnknownVersion, match=r"version 2; readable: \[1\]"):
        decode(envelope(dataversion=2), registry_of([Opened]))


def test_an_unknown_type_is_named() -> None:
    with pytest.raises(UnknownType, match=r"registry\.thing\.opened"):
        decode(envelope(), {})


def test_a_wrong_payload_is_explained_without_quoting_it() -> None:
    with pytest.raises(InvalidData, match="count: Input should be a valid integer") as caught:
        decode(envelope(data={"count": "secret-value"}), registry_of([Opened]))
    assert "secret-value" not in str(caught.value)


def test_two_classes_cannot_be_the_same_type_and_version() -> None:
    class Again(Event):
        type: ClassVar[str] = "registry.thing.opened"

    with pytest.raises(ValueError, match="are both"):
        registry_of([Opened, Again])


def test_the_contracts_are_found_and_are_owned_by_the_service_they_are_filed_under() -> None:
    registry = messages_in(shared.contracts)
    assert ("wallet_ledger.transaction.post", 1) in registry
    assert ("registry.thing.opened", 1) not in registry
    for (name, _), message in registry.items():
        owner = message.__module__.removeprefix("shared.contracts.").split(".")[0]
        assert name.split(".")[0] == owner
        assert message.__doc__, f"{message.__name__} has no description"
