"""The wire format: exact, and open to what later versions add."""

import json
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

import pytest
from pydantic import ValidationError

from shared.messaging.envelope import Command, Envelope, Event

ID = UUID("0198c0de-0000-7000-8000-000000000001")
LOAN = UUID("0198c0de-0000-7000-8000-000000000002")


class LoanOpened(Event):
    type: ClassVar[str] = "envelopes.loan.opened"

    loan_id: UUID
    amount_minor: int
    note: str | None = None


class OpenLoan(Command):
    type: ClassVar[str] = "envelopes.loan.open"
    version: ClassVar[int] = 3


def envelope_of(message: Event | Command, **changes: Any) -> Envelope:
    arguments: dict[str, Any] = {
        "id": ID,
        "source": "envelopes",
        "time": datetime(2026, 1, 31, 12, 0, tzinfo=UTC),
        "aggregate_id": LOAN,
        "correlation_id": "c-1",
    }
    return Envelope.of(message, **(arguments | changes))


def test_an_event_has_this_json_and_no_other() -> None:
    envelope = envelope_of(
        LoanOpened(loan_id=LOAN, amount_minor=5),
        causation_id="m-0",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    assert json.loads(envelope.to_json()) == {
        "specversion": "1.0",
        "id": str(ID),
        "source": "envelopes",
        "type": "envelopes.loan.opened",
        "subject": str(LOAN),
        "time": "2026-01-31T12:00:00Z",
        "datacontenttype": "application/json",
        "dataversion": 1,
        "kind": "event",
        "partitionkey": str(LOAN),
        "correlationid": "c-1",
        "causationid": "m-0",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "data": {"loan_id": str(LOAN), "amount_minor": 5, "note": None},
    }


def test_what_is_written_reads_back_equal() -> None:
    for envelope in (envelope_of(LoanOpened(loan_id=LOAN, amount_minor=5, note="ü\n\"'")), envelope_of(OpenLoan())):
        assert Envelope.from_json(envelope.to_json()) == envelope


def test_absent_attributes_are_left_out_but_nulls_in_the_payload_are_kept() -> None:
    body = json.loads(envelope_of(LoanOpened(loan_id=LOAN, amount_minor=5)).to_json())
    assert "causationid" not in body
    assert "traceparent" not in body
    assert body["data"]["note"] is None


def test_a_command_says_so_and_carries_its_version() -> None:
    envelope = envelope_of(OpenLoan(), subject="loans/7")
    assert (envelope.kind, envelope.dataversion, envelope.subject) == ("command", 3, "loans/7")


def test_readers_ignore_attributes_and_fields_they_do_not_know() -> None:
    body = json.loads(envelope_of(LoanOpened(loan_id=LOAN, amount_minor=5)).to_json())
    body["newattribute"] = "x"
    body["data"]["new_field"] = 1
    read = Envelope.from_json(json.dumps(body))
    assert LoanOpened.model_validate(read.data) == LoanOpened(loan_id=LOAN, amount_minor=5)


@pytest.mark.parametrize(
    "damage",
    [
        {"specversion": "0.3"},
        {"id": "not-a-uuid"},
        {"time": "2026-01-31T12:00:00"},
        {"dataversion": 0},
        {"kind": "query"},
        {"data": [1]},
        {"partitionkey": None},
    ],
)
def test_what_is_not_an_envelope_is_refused(damage: dict[str, object]) -> None:
    body = json.loads(envelope_of(OpenLoan()).to_json()) | damage
    with pytest.raises(ValidationError):
        Envelope.from_json(json.dumps(body))


def test_messages_cannot_be_changed() -> None:
    message = LoanOpened(loan_id=LOAN, amount_minor=5)
    with pytest.raises(ValidationError):
        message.amount_minor = 6  # type: ignore[misc]


@pytest.mark.parametrize("name", ["opened", "loan.opened", "a.b.c.d", "Loans.loan.opened", "a..b", "a.b.c "])
def test_a_type_names_service_thing_and_verb(name: str) -> None:
    with pytest.raises(TypeError, match=r"service\.thing\.verb"):
        type("Badly", (Event,), {"__module__": __name__, "__annotations__": {}, "type": name})
