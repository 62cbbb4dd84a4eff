"""The outcome of a transaction is told from its row in the journal, and each time as the same message."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.wallet_ledger.store.outcome_source import outcome_of
from shared.contracts.wallet_ledger.transaction_events import TransactionPosted, TransactionRejected
from shared.ids import new_id

AT = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)


def row_of(status: str, *, reference: str | None, causation: str | None) -> dict[str, Any]:
    """As it stands in the journal."""
    rejected = status == "rejected"
    return {
        "sequence": 7,
        "id": new_id(),
        "scope": "lending",
        "idempotency_key": 'key "x"',
        "kind": "loan.repayment",
        "reference": reference,
        "status": status,
        "rejection_code": "insufficient_funds" if rejected else None,
        "rejection_detail": 'too "little"' if rejected else None,
        "booked_at": AT,
        "correlation_id": "what set it off",
        "causation_id": causation,
        "traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01",
    }


@pytest.mark.parametrize("causation", [None, "0198"])
@pytest.mark.parametrize("reference", [None, 'loan:"1"\\', "Überweisung \n\x01 €"])
@pytest.mark.parametrize("status", ["posted", "rejected"])
def test_an_outcome_is_told_as_the_contract_says(status: str, reference: str | None, causation: str | None) -> None:
    row = row_of(status, reference=reference, causation=causation)

    told = outcome_of(row)

    event = TransactionPosted if status == "posted" else TransactionRejected
    payload = event.model_validate(told.data)
    assert payload.transaction_id == row["id"]
    assert (payload.idempotency_key, payload.requested_by, payload.kind) == ('key "x"', "lending", "loan.repayment")
    assert payload.reference == reference
    if isinstance(payload, TransactionPosted):
        assert payload.booked_at == AT
    else:
        assert (payload.code, payload.detail) == ("insufficient_funds", 'too "little"')
    assert (told.type, told.dataversion, told.kind, told.source) == (event.type, event.version, "event", "wallet_ledger")
    assert told.subject == told.partitionkey == str(row["id"])
    assert (told.time, told.correlationid, told.causationid) == (AT, "what set it off", causation)
    assert told.traceparent == row["traceparent"]


def test_an_outcome_that_is_told_again_is_the_same_message() -> None:
    row = row_of("posted", reference=None, causation=None)
    assert outcome_of(row) == outcome_of(dict(row))
    assert outcome_of(row).id != outcome_of(row | {"id": new_id()}).id
