"""Post a transaction that another service asks for.

The ledger's own idempotency stands in for the inbox: the event that tells the outcome is written with it, and a command that
comes again finds the outcome. Whoever asks again has missed the first answer, or lost it, so the outcome is told again, once
for each message that asks: a sender that waits never waits in vain. The message is acknowledged after the commit.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import assert_never

from services.wallet_ledger.context import Context
from services.wallet_ledger.domain import entries as ledger
from services.wallet_ledger.domain.problems import CommandContradicts
from services.wallet_ledger.domain.transaction import Outcome, Refused, Transaction
from services.wallet_ledger.store.journal import Journal
from services.wallet_ledger.store.lane import TransactionRefused
from shared.contracts.wallet_ledger import transaction_commands as wire
from shared.contracts.wallet_ledger.transaction_commands import PostTransaction
from shared.contracts.wallet_ledger.transaction_events import TransactionPosted, TransactionRejected
from shared.messaging.consumer import Delivery


async def post_transaction(context: Context, delivery: Delivery[PostTransaction]) -> None:
    """Post it, or find out that it was posted or rejected before, and say so.

    Raises `LedgerBusy` and `LedgerUnavailable`, after which the message is tried again.
    """
    try:
        outcome = await context.poster.post(transaction_of(delivery.message, delivery.envelope.source))
    except TransactionRefused as error:
        await _refuse(context, delivery, error.refused)
    else:
        if outcome.known:
            await _tell_again(context, delivery, outcome)


async def _tell_again(context: Context, delivery: Delivery[PostTransaction], outcome: Outcome) -> None:
    async with context.unit_of_work(delivery) as work:
        facts = _facts(delivery)
        told = (
            TransactionPosted.model_validate({**facts, "booked_at": outcome.booked_at})
            if outcome.posted
            else TransactionRejected.model_validate({**facts, "code": outcome.code, "detail": outcome.detail})
        )
        work.outbox.publish(told, aggregate_id=outcome.transaction_id)


async def _refuse(context: Context, delivery: Delivery[PostTransaction], refused: Refused) -> None:
    """The key, or the id, belongs to another transaction: a fault of the sender.

    It is told so, unless the very id has an outcome already: a second, contrary one would undo in the sender's eyes what
    has been done. Then the message is a dead letter, for people to look at.
    """
    command = delivery.message
    async with context.unit_of_work(delivery) as work:
        if await Journal(work.connection).has_transaction(command.transaction_id):
            raise CommandContradicts(f"{refused.detail} Transaction {command.transaction_id} has its outcome.")
        rejected = TransactionRejected.model_validate({**_facts(delivery), "code": refused.code, "detail": refused.detail})
        work.outbox.publish(rejected, aggregate_id=command.transaction_id)


def _facts(delivery: Delivery[PostTransaction]) -> dict[str, object]:
    """What every answer to a command says about it."""
    command = delivery.message
    return {
        "transaction_id": command.transaction_id,
        "idempotency_key": command.idempotency_key,
        "requested_by": delivery.envelope.source,
        "kind": command.kind,
        "reference": command.reference,
    }


def transaction_of(command: PostTransaction, source: str) -> Transaction:
    """The ledger's transaction that a command of service `source` stands for."""
    return Transaction(
        id=command.transaction_id,
        scope=source,
        idempotency_key=command.idempotency_key,
        fingerprint=fingerprint(command),
        kind=command.kind,
        entries=tuple(_entry(entry) for entry in command.entries),
        reference=command.reference,
        description=command.description,
        effective_on=command.effective_on,
    )


def fingerprint(command: PostTransaction) -> bytes:
    """32 bytes of everything that the command says; fields that are not there do not count, so that new ones may come."""
    said = command.model_dump(mode="json", exclude_none=True)
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).digest()


def _entry(entry: wire.Entry) -> ledger.Entry:
    match entry:
        case wire.Transfer():
            return ledger.Transfer(
                entry.id,
                entry.debit_account,
                entry.credit_account,
                entry.amount_minor,
                entry.currency,
                entry.kind,
                entry.description,
            )
        case wire.Hold():
            return ledger.Hold(
                entry.id,
                entry.debit_account,
                entry.credit_account,
                entry.amount_minor,
                entry.currency,
                entry.group,
                _aware(entry.expires_at),
                entry.kind,
                entry.description,
            )
        case wire.PostHold():
            return ledger.PostHold(entry.hold_id, entry.amount_minor)
        case wire.VoidHold():
            return ledger.VoidHold(entry.hold_id)
        case wire.PostHoldGroup():
            return ledger.PostHoldGroup(entry.group)
        case wire.VoidHoldGroup():
            return ledger.VoidHoldGroup(entry.group)
    assert_never(entry)


def _aware(instant: datetime | None) -> datetime | None:
    """An instant without an offset is meant in UTC, as everything in messages is."""
    return instant.replace(tzinfo=UTC) if instant is not None and instant.tzinfo is None else instant
