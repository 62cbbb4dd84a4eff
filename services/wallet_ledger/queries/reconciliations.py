"""Reads of kept reconciliations."""

from collections.abc import Sequence
from uuid import UUID

from services.wallet_ledger.context import Context
from services.wallet_ledger.domain.reconciliation import Reconciliation
from services.wallet_ledger.store.reconciliation import Reconciliations


async def list_reconciliations(context: Context, after: UUID | None, limit: int) -> Sequence[Reconciliation]:
    """Runs, newest first."""
    async with context.read() as connection:
        return await Reconciliations(connection).newest(after, limit)
