"""Fields that only consumers read: in no outbox, no queue and no dead letter in clear."""

import json
from typing import ClassVar
from uuid import uuid4

import pytest

from shared.contracts.auth.user_events import EmailVerified, PasswordChanged, UserRegistered, UserUpdated
from shared.contracts.generate import render
from shared.crypto import Vault, open_vault
from shared.messaging.envelope import Envelope, Event, Message
from shared.messaging.outbox import Outbox
from shared.messaging.registry import InvalidData, decode, registry_of

VAULT = open_vault(None, production=False)
OTHER = Vault({"other": bytes(32)}, "other")


class Met(Event):
    """Somebody was met."""

    type: ClassVar[str] = "sealing_tests.person.met"
    version: ClassVar[int] = 2
    sealed_fields: ClassVar[frozenset[str]] = frozenset({"name", "phone"})
    clear_versions: ClassVar[tuple[int, ...]] = (1,)

    place: str
    name: str
    phone: str | None = None


REGISTRY = registry_of([Met])
AMINA = Met(place="Nakuru", name="Amina", phone="+254712345678")


def on_its_way(message: Message = AMINA) -> Envelope:
    return Outbox("sealing_tests", VAULT).add(message, aggregate_id="a")


def test_the_receiver_sees_what_the_sender_said_and_nobody_else_does() -> None:
    envelope = on_its_way()
    assert set(envelope.data) == {"place", "sealed"}
    assert "Amina" not in envelope.to_json().decode()
    assert "712345678" not in envelope.to_json().decode()
    assert decode(Envelope.from_json(envelope.to_json()), REGISTRY, VAULT) == AMINA
    nameless = Met(place="Nakuru", name="Amina")
    assert decode(on_its_way(nameless), REGISTRY, VAULT) == nameless


def test_the_version_in_clear_is_still_read() -> None:
    old = on_its_way().model_copy(update={"dataversion": 1, "data": AMINA.model_dump()})
    assert decode(old, REGISTRY) == AMINA


@pytest.mark.parametrize("vault", [None, OTHER])
def test_without_the_key_it_is_a_dead_letter_at_once(vault: Vault | None) -> None:
    with pytest.raises(InvalidData) as caught:
        decode(on_its_way(), REGISTRY, vault)
    assert "Amina" not in str(caught.value)


def test_it_opens_in_its_own_message_only() -> None:
    stolen = on_its_way().model_copy(update={"id": uuid4()})
    with pytest.raises(InvalidData):
        decode(stolen, REGISTRY, VAULT)
    in_clear = on_its_way().model_copy(update={"data": AMINA.model_dump()})
    with pytest.raises(InvalidData, match="nothing sealed"):
        decode(in_clear, REGISTRY, VAULT)


def test_without_a_vault_it_is_not_sent_in_clear_instead() -> None:
    outbox = Outbox("sealing_tests")
    with pytest.raises(RuntimeError, match="has no vault"):
        outbox.publish(AMINA, aggregate_id="a")
    assert outbox.pending == ()


def test_the_schema_is_that_of_the_wire() -> None:
    files = render([Met])
    new, old = (json.loads(files[f"schemas/sealing_tests.person.met.v{version}.json"]) for version in (2, 1))
    assert (set(new["properties"]), set(new["required"])) == ({"place", "sealed"}, {"place", "sealed"})
    assert set(old["properties"]) == {"place", "name", "phone"}


@pytest.mark.parametrize("event", [UserRegistered, UserUpdated, EmailVerified, PasswordChanged])
def test_who_somebody_is_travels_sealed(event: type[Event]) -> None:
    assert (event.version, event.clear_versions) == (2, (1,))
    assert {"email", "full_name", "phone"} & set(event.model_fields) <= event.sealed_fields
