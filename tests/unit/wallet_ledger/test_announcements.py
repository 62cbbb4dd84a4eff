"""Outcome events are written as text; they must be what the contract's classes would make."""

from datetime import UTC, datetime

import pytest

from services.wallet_ledger.domain.transaction import Outcome, Transaction
from services.wallet_ledger.store.announcements import SOURCE, Origin, announcements
from shared.contracts.wallet_ledger.transaction_events import TransactionPosted, TransactionRejected
from shared.ids import new_id
from shared.messaging.envelope import Envelope, Event

AT = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize("causation", [None, "0198"])
@pytest.mark.parametrize("reference", [None, 'loan:"1"\\', "Überweisung \n\x01 €"])
@pytest.mark.parametrize("posted", [True, False])
@pytest.mark.parametrize("at", [AT, AT.replace(microsecond=0)])
def test_an_outcome_is_told_as_the_contract_says(
    posted: bool, reference: str | None, causation: str | None, at: datetime
) -> None:
    transaction = Transaction(new_id(), "lending", 'key "x"', b"f" * 32, "loan.repayment", (), reference=reference)
    common = {
        "transaction_id": transaction.id,
        "idempotency_key": transaction.idempotency_key,
        "requested_by": "lending",
        "kind": transaction.kind,
        "reference": reference,
    }
    if posted:
        outcome = Outcome(transaction.id, "posted", 7, at)
        event: Event = TransactionPosted.model_validate(common | {"booked_at": at})
    else:
        outcome = Outcome(transaction.id, "rejected", 7, at, "insufficient_funds", 'too "little"')
        event = TransactionRejected.model_validate(common | {"code": "insufficient_funds", "detail": 'too "little"'})
    origin = Origin("what set it off", causation, "00-" + "a" * 32 + "-" + "b" * 16 + "-01")

    (row,) = announcements(transaction, outcome, origin, None)

    expected = Envelope.of(
        event,
        id=row.message_id,
        source=SOURCE,
        time=at,
        aggregate_id=transaction.id,
        correlation_id=origin.correlation_id,
        causation_id=causation,
        traceparent=origin.traceparent,
    )
    written = Envelope.from_json(row.envelope)
    assert written == expected
    assert written.data == expected.data
    assert (row.type, row.partition_key) == (expected.type, expected.partitionkey)
