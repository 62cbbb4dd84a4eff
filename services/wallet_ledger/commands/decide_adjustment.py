"""Approve an adjustment, which has the ledger post it, or decline it, or let it expire."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from services.wallet_ledger.commands.post_adjustment import post_adjustment
from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.adjustment import Adjustment, AdjustmentStatus, check_second_person, check_undecided
from services.wallet_ledger.domain.problems import AdjustmentNotFound, AdjustmentRejected
from services.wallet_ledger.store.adjustments import AdjustmentStore
from services.wallet_ledger.store.unit_of_work import LedgerWork
from shared.idempotency import Answer, IdempotentRequest, once

View = Callable[[Adjustment], dict[str, Any]]
_BATCH = 100


async def approve_adjustment(
    context: Context,
    adjustment_id: UUID,
    operator_id: UUID,
    request: IdempotentRequest,
    view: Callable[[Adjustment], dict[str, Any]],
) -> Answer:
    """The answer to a second person's yes: 200 with `view` of it once it is posted, 202 while the ledger cannot be asked.

    That it is approved is committed before the ledger is asked, under a key of the adjustment's own: whatever dies between, a
    job posts it, once. Raises `AdjustmentNotFound`, `SecondPersonRequired`, `AdjustmentDecided`, and `AdjustmentRejected` when
    the ledger's rules forbid it.
    """

    async def approve(work: LedgerWork) -> Answer:
        adjustment = await _locked(work, adjustment_id)
        check_second_person(adjustment, operator_id)
        if adjustment.status is not AdjustmentStatus.APPROVED:
            check_undecided(adjustment, work.now)
            await _decide(work, adjustment, AdjustmentStatus.APPROVED, operator_id, None)
        return Answer(200, {})  # what is told is what it has become, below

    answer = await once(context.unit_of_work, request, approve)
    if answer.status != 200:
        return answer
    adjustment = await _find(context, adjustment_id)
    if adjustment.outcome is None and await post_adjustment(context, adjustment) is not None:
        adjustment = await _find(context, adjustment_id)
    if adjustment.outcome == "rejected":
        raise AdjustmentRejected(
            f"{adjustment.rejection_detail} Nothing has moved. Mend that, then ask for a new adjustment.",
            extra={"rejection_code": adjustment.rejection_code},
            headers={"Idempotent-Replayed": "true"} if answer.replayed else None,
        )
    return Answer(200 if adjustment.outcome else 202, view(adjustment), replayed=answer.replayed)


async def decline_adjustment(context: Context, adjustment_id: UUID, reason: str, operator_id: UUID) -> Adjustment:
    """Say no, or take back what one asked for; one that is declined stays so.

    Raises `AdjustmentNotFound`, `AdjustmentDecided`.
    """
    async with context.unit_of_work() as work:
        adjustment = await _locked(work, adjustment_id)
        if adjustment.status is AdjustmentStatus.DECLINED:
            return adjustment
        check_undecided(adjustment, work.now)
        return await _decide(work, adjustment, AdjustmentStatus.DECLINED, operator_id, reason)


async def expire_adjustments(context: Context) -> None:
    """Those that nobody decided in time are over."""
    async with context.unit_of_work() as work:
        for adjustment in await work.adjustments.overdue(work.now, _BATCH):
            await _decide(work, adjustment, AdjustmentStatus.EXPIRED, None, None)


async def _decide(
    work: LedgerWork, adjustment: Adjustment, status: AdjustmentStatus, person_id: UUID | None, reason: str | None
) -> Adjustment:
    await work.adjustments.decide(adjustment.id, status, person_id, reason, work.now)
    after = await work.adjustments.find(adjustment.id)
    assert after is not None  # noqa: S101 adjustments are never deleted
    work.publish_action(
        f"adjustment.{status.value}",
        actor=person_id,
        subject_id=adjustment.id,
        before={"status": adjustment.status.value},
        after={**after.facts(), **({"decision_reason": reason} if reason is not None else {})},
    )
    return after


async def _locked(work: LedgerWork, adjustment_id: UUID) -> Adjustment:
    adjustment = await work.adjustments.find(adjustment_id, lock=True)
    if adjustment is None:
        raise AdjustmentNotFound("Check the id: GET /v1/admin/ledger/adjustments lists them.")
    return adjustment


async def _find(context: Context, adjustment_id: UUID) -> Adjustment:
    async with context.read() as connection:
        adjustment = await AdjustmentStore(connection).find(adjustment_id)
    assert adjustment is not None  # noqa: S101 adjustments are never deleted
    return adjustment
