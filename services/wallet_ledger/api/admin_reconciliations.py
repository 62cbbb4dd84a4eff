"""Comparisons of the ledger's balances with their entries."""

from datetime import date
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from services.wallet_ledger.commands.reconcile_ledger import reconcile_ledger
from services.wallet_ledger.context import Ctx
from services.wallet_ledger.domain.reconciliation import MISMATCHES_KEPT, Reconciliation
from services.wallet_ledger.queries.reconciliations import list_reconciliations
from shared.http.auth import Admin, Support
from shared.http.paging import Page, Paging
from shared.http.schemas import Instant, View

router = APIRouter(prefix="/v1/admin/ledger/reconciliations", tags=["ledger"])


class MismatchView(View):
    """Something that is not what its entries add up to."""

    where: str = Field(examples=["fees:KES"])
    what: str = Field(examples=["credits 1200 instead of 1100"])


class ReconciliationView(View):
    """One comparison of balances with their entries: of all of them, or of what has moved since the last comparison."""

    id: UUID
    day: date = Field(description="The day (UTC) that had ended")
    balanced: bool
    mismatch_count: int
    mismatches: list[MismatchView] = Field(description=f"The first {MISMATCHES_KEPT}")
    accounts: int = Field(description="How many were compared")
    transfers: int = Field(description="How many rows of the journal were added up")
    after_sequence: int = Field(description="Only entries after this transaction were added up; 0: all that there are")
    last_sequence: int = Field(description="The last transaction that was counted")
    started_by: UUID | None = Field(description="The operator; null when it ran by itself")
    started_at: Instant
    finished_at: Instant


@router.get("")
async def list_ledger_reconciliations(context: Ctx, _: Support, paging: Paging) -> Page[ReconciliationView]:
    """Comparisons, newest first. One runs by itself after the end of each day, on what has moved; once a week on everything."""
    found = await list_reconciliations(context, paging.after, paging.fetch)
    return paging.page(found, lambda run: run.id, _view)


@router.post("", status_code=201)
async def reconcile_the_ledger(context: Ctx, user: Admin) -> ReconciliationView:
    """Compare everything now. This takes a while for a long journal; posting goes on meanwhile."""
    return _view(await reconcile_ledger(context, user.user_id))


def _view(run: Reconciliation) -> ReconciliationView:
    return ReconciliationView(
        id=run.id,
        day=run.day,
        balanced=run.balanced,
        mismatch_count=run.found.mismatch_count,
        mismatches=[MismatchView(where=one.where, what=one.what) for one in run.found.mismatches],
        accounts=run.found.accounts,
        transfers=run.found.transfers,
        after_sequence=run.found.after_sequence,
        last_sequence=run.found.last_sequence,
        started_by=run.started_by,
        started_at=run.started_at,
        finished_at=run.finished_at,
    )
