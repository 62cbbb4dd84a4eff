"""Undo a posted transaction by a new one that moves everything back. A transaction is reversed once only.

One person may do so up to an amount; beyond it a second one has to approve, as with any adjustment.
"""

from collections import defaultdict
from uuid import UUID

from services.wallet_ledger.commands.request_adjustment import View, request_reversal
from services.wallet_ledger.commands.tell_corrections import action_taken, announce_correction
from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.entries import Transfer
from services.wallet_ledger.domain.journal import JournalTransaction
from services.wallet_ledger.domain.problems import (
    AlreadyReversed,
    InsufficientFunds,
    NotReversible,
    TransactionNotFound,
    TransferRefused,
)
from services.wallet_ledger.domain.transaction import Outcome, Transaction
from services.wallet_ledger.store.journal import Journal
from services.wallet_ledger.store.lane import TransactionRefused
from shared.idempotency import Answer, IdempotentRequest, KeyReused
from shared.ids import new_id
from shared.problems import Problem

KIND = "reversal"
_ROWS_A_FETCH = 5_000
_PROBLEMS: dict[str, type[Problem]] = {"already_reversed": AlreadyReversed, "insufficient_funds": InsufficientFunds}


async def reverse_transaction(
    context: Context, transaction_id: UUID, reason: str, operator_id: UUID, request: IdempotentRequest, view: View
) -> Outcome | Answer:
    """The outcome of the reversal; its `transaction_id` names the new transaction. Where it moves so much that a second
    person has to approve it: the answer to asking for that, with `view` of the adjustment.

    Raises `TransactionNotFound`, `NotReversible` when nothing was moved, `AlreadyReversed`, `InsufficientFunds` when the money
    is no longer there, `KeyReused`.
    """
    original, entries = await mirrored(context, transaction_id)
    if _moved_minor(entries) > context.settings.ledger_reversal_alone_minor:
        return await request_reversal(context, original, reason, operator_id, request, view)
    reversal = Transaction(
        id=new_id(),
        scope=f"user:{request.owner}",
        idempotency_key=request.key,
        fingerprint=request.fingerprint,
        kind=KIND,
        entries=entries,
        reference=original.reference,
        description=reason,
        initiated_by=operator_id,
        reverses=original.id,
    )
    facts = {"reverses_id": str(original.id), "reason": reason, "moved_minor": _moved_minor(entries)}
    audited = action_taken("transaction.reversed", operator_id, reversal.id, "transaction", context.clock.now(), facts)
    announce = await announce_correction(context, reversal, (audited, reversal.id))
    try:
        outcome = await context.poster.post(reversal, announce=announce)
    except TransactionRefused as error:
        raise KeyReused("Use a new key for a new request.") from error
    if not outcome.posted:
        headers = {"Idempotent-Replayed": "true"} if outcome.replayed else None
        raise _PROBLEMS.get(outcome.code or "", TransferRefused)(outcome.detail or "", headers=headers)
    return outcome


async def mirrored(context: Context, transaction_id: UUID) -> tuple[JournalTransaction, tuple[Transfer, ...]]:
    """The transaction, and the entries that undo it: each transfer the other way round, the last one first.

    Raises `TransactionNotFound`, `NotReversible`.
    """
    entries: list[Transfer] = []
    async with context.read() as connection:
        journal = Journal(connection)
        original = await journal.transaction(transaction_id)
        if original is None:
            raise TransactionNotFound("Check the id.")
        after = -1
        while postings := await journal.postings(transaction_id, after=after, limit=_ROWS_A_FETCH):
            after = postings[-1].position
            entries.extend(
                Transfer(new_id(), posting.credit_account, posting.debit_account, posting.amount_minor, posting.currency)
                for posting in postings
                if posting.amount_minor
            )
    if not entries:
        raise NotReversible("The transaction has moved no money: it was rejected, or only held or released some.")
    return original, tuple(reversed(entries))


def _moved_minor(entries: tuple[Transfer, ...]) -> int:
    """What is moved altogether, in minor units of the currency of which it is most."""
    totals: dict[str, int] = defaultdict(int)
    for entry in entries:
        totals[entry.currency] += entry.amount_minor
    return max(totals.values())
