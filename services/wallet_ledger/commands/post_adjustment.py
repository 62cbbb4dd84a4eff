"""Have the ledger post what two people agreed on: once, however often it is tried."""

import logging
from datetime import timedelta
from uuid import UUID

from services.wallet_ledger.commands.reverse_transaction import KIND as REVERSAL
from services.wallet_ledger.commands.reverse_transaction import mirrored
from services.wallet_ledger.commands.tell_corrections import announce_correction
from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.adjustment import SCOPE, Adjustment
from services.wallet_ledger.domain.entries import Entry, Transfer
from services.wallet_ledger.domain.problems import LedgerBusy, LedgerUnavailable
from services.wallet_ledger.domain.transaction import Outcome, Transaction
from services.wallet_ledger.store.adjustments import AdjustmentStore
from shared.ids import derived_id

_log = logging.getLogger(__name__)
KIND = "adjustment"
_BATCH = 20
_LEFT_ALONE = timedelta(seconds=45)
"""How long an approval has to bring its adjustment to the ledger itself; longer than the poster lets anybody wait."""


async def post_adjustment(context: Context, adjustment: Adjustment) -> Outcome | None:
    """What the ledger says to an approved adjustment; None when that cannot be learnt now, and a job will ask again."""
    try:
        transaction = await _transaction_of(context, adjustment)
        outcome = await context.poster.post(transaction, announce=await announce_correction(context, transaction))
    except (LedgerBusy, LedgerUnavailable) as trouble:
        _log.warning("an adjustment waits for the ledger", extra={"adjustment_id": str(adjustment.id), "code": trouble.code})
        return None
    async with context.unit_of_work() as work:
        if await work.adjustments.settle(adjustment.id, outcome):
            work.publish_action(
                f"adjustment.{outcome.status}",
                actor=adjustment.decided_by,
                subject_id=adjustment.id,
                after={"transaction_id": str(outcome.transaction_id), "code": outcome.code},
            )
    return outcome


async def post_approved_adjustments(context: Context) -> None:
    """Those that were approved and whose posting was cut short."""
    async with context.read() as connection:
        due = await AdjustmentStore(connection).unposted(context.clock.now() - _LEFT_ALONE, _BATCH)
    for adjustment_id in due:
        try:
            await _post_again(context, adjustment_id)
        except Exception:  # one that makes trouble does not hold up the others
            _log.exception("an approved adjustment cannot be posted", extra={"adjustment_id": str(adjustment_id)})


async def _post_again(context: Context, adjustment_id: UUID) -> None:
    async with context.read() as connection:
        adjustment = await AdjustmentStore(connection).find(adjustment_id)
    if adjustment is not None:
        await post_adjustment(context, adjustment)


async def _transaction_of(context: Context, adjustment: Adjustment) -> Transaction:
    entries: tuple[Entry, ...] = tuple(
        Transfer(
            derived_id(adjustment.transaction_id, number),
            entry.debit_account,
            entry.credit_account,
            entry.amount_minor,
            entry.currency,
            description=entry.description,
        )
        for number, entry in enumerate(adjustment.entries)
    )
    if adjustment.reverses_id is not None:
        _, entries = await mirrored(context, adjustment.reverses_id)
    return Transaction(
        id=adjustment.transaction_id,
        scope=SCOPE,
        idempotency_key=adjustment.idempotency_key,
        fingerprint=adjustment.fingerprint,
        kind=REVERSAL if adjustment.reverses_id is not None else KIND,
        entries=entries,
        reference=adjustment.reference,
        description=adjustment.reason,
        effective_on=adjustment.effective_on,
        initiated_by=adjustment.requested_by,
        reverses=adjustment.reverses_id,
    )
