"""Reads of adjustments."""

from collections.abc import Sequence
from uuid import UUID

from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.adjustment import Adjustment
from services.wallet_ledger.domain.problems import AdjustmentNotFound
from services.wallet_ledger.store.adjustments import AdjustmentStore


async def list_adjustments(context: Context, status: str | None, after: UUID | None, limit: int) -> Sequence[Adjustment]:
    """Adjustments, newest first."""
    async with context.read() as connection:
        return await AdjustmentStore(connection).newest(status, after, limit)


async def adjustment_by_id(context: Context, adjustment_id: UUID) -> Adjustment:
    """One adjustment. Raises `AdjustmentNotFound`."""
    async with context.read() as connection:
        adjustment = await AdjustmentStore(connection).find(adjustment_id)
    if adjustment is None:
        raise AdjustmentNotFound("Check the id: GET /v1/admin/ledger/adjustments lists them.")
    return adjustment
