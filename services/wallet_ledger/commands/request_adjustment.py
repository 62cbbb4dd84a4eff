"""Ask for an adjustment, which then waits for a second person. Nothing moves yet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.adjustment import Adjustment, AdjustmentEntry, AdjustmentStatus, Kind
from services.wallet_ledger.domain.chart_of_accounts import rule_for
from services.wallet_ledger.domain.journal import JournalTransaction
from services.wallet_ledger.domain.problems import AlreadyReversed, ReversalAwaiting
from services.wallet_ledger.store.unit_of_work import LedgerWork
from shared.idempotency import Answer, IdempotentRequest, once
from shared.ids import derived_id, new_id
from shared.problems import FieldError, InvalidRequest

View = Callable[[Adjustment], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class AdjustmentOrder:
    """What an operator wants to have corrected."""

    operator_id: UUID
    reason: str
    entries: tuple[AdjustmentEntry, ...]
    reference: str | None = None
    effective_on: date | None = None
    reverses_id: UUID | None = None

    @property
    def kind(self) -> Kind:
        """Its own transfers, or those of another transaction the other way round."""
        return "reversal" if self.reverses_id is not None else "transfers"


async def request_adjustment(context: Context, order: AdjustmentOrder, request: IdempotentRequest, view: View) -> Answer:
    """The answer to a request for an adjustment: 201 with `view` of it.

    Raises `InvalidRequest` when it names accounts that there cannot be, or a day that has not come.
    """

    async def ask(work: LedgerWork) -> Answer:
        await _check(work, order)
        return Answer(201, view(await _add(context, work, order)))

    return await once(context.unit_of_work, request, ask)


async def request_reversal(
    context: Context, original: JournalTransaction, reason: str, operator_id: UUID, request: IdempotentRequest, view: View
) -> Answer:
    """The answer to a request for a reversal that needs a second person: 202 with `view` of it.

    Raises `AlreadyReversed`, `ReversalAwaiting`.
    """
    order = AdjustmentOrder(operator_id, reason, (), reference=original.reference, reverses_id=original.id)

    async def ask(work: LedgerWork) -> Answer:
        if original.reversed_by_id is not None:
            raise AlreadyReversed(f"It was reversed by transaction {original.reversed_by_id}.")
        if (waiting := await work.adjustments.awaiting_reversal(original.id)) is not None:
            raise ReversalAwaiting(f"Approve or decline adjustment {waiting.id}.")
        return Answer(202, view(await _add(context, work, order)))

    return await once(context.unit_of_work, request, ask)


async def _add(context: Context, work: LedgerWork, order: AdjustmentOrder) -> Adjustment:
    adjustment_id = new_id()
    adjustment = Adjustment(
        id=adjustment_id,
        kind=order.kind,
        entries=order.entries,
        reverses_id=order.reverses_id,
        reference=order.reference,
        effective_on=order.effective_on,
        reason=order.reason,
        requested_by=order.operator_id,
        requested_at=work.now,
        expires_at=work.now + timedelta(hours=context.settings.ledger_approval_hours),
        status=AdjustmentStatus.AWAITING_APPROVAL,
        transaction_id=derived_id("adjustment", adjustment_id, "transaction"),
    )
    await work.adjustments.add(adjustment)
    work.publish_action("adjustment.requested", actor=order.operator_id, subject_id=adjustment_id, after=adjustment.facts())
    return adjustment


async def _check(work: LedgerWork, order: AdjustmentOrder) -> None:
    wrong = [error for number, entry in enumerate(order.entries) for error in await _faults(work, number, entry)]
    if order.effective_on is not None and order.effective_on > work.now.date():
        wrong.append(FieldError("effective_on", "must not be in the future"))
    if wrong:
        raise InvalidRequest("The ledger could never post this. Correct the fields that are named.", errors=wrong)


async def _faults(work: LedgerWork, number: int, entry: AdjustmentEntry) -> Sequence[FieldError]:
    if entry.debit_account == entry.credit_account:
        return [FieldError(f"entries.{number}.credit_account", "must be another account than debit_account")]
    found = []
    for side, address in (("debit_account", entry.debit_account), ("credit_account", entry.credit_account)):
        account, rule = await work.controls.find(address, today=work.now), rule_for(address)
        currency = account.currency if account is not None else rule.currency if rule is not None else None
        fault = None
        if account is None and (rule is None or not rule.opens_itself):
            fault = "there is no such account"
        elif account is not None and account.status == "closed":
            fault = "this account is closed"
        elif currency not in (None, entry.currency):
            fault = f"this account is in {currency}"
        if fault is not None:
            found.append(FieldError(f"entries.{number}.{side}", fault))
    return found
