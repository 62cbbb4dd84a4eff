"""Reconciliation with payment providers, for operators."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from services.payments.api.deposits import ProviderName
from services.payments.commands.reconcile_provider import Order, reconcile_provider
from services.payments.context import Ctx
from services.payments.domain.reconciliation import Item, Totals, Verdict
from services.payments.queries.reconciliations import SHOWN_ITEMS, LedgerDay, ProviderDay, provider_day, run_items
from services.payments.store.bookings import Movement
from shared.http.auth import Admin, Support
from shared.http.paging import Page, Paging
from shared.http.schemas import Body, Instant, View

router = APIRouter(prefix="/v1/admin/reconciliation", tags=["admin"])

_HIGHEST = 2**31 - 1
CalendarDay = date  # a field may be called like the type
Day = Annotated[date, Query(alias="date", description="The day (UTC)", examples=["2026-01-31"])]


class ReconciliationBody(Body):
    """Which day of which provider to compare."""

    provider: ProviderName
    date: CalendarDay = Field(description="A day (UTC) that is over", examples=["2026-01-31"])


class ItemView(View):
    """A row of the provider's report, a booking of ours, or both. Minor units."""

    kind: str = Field(description="payment came in, payout went out", json_schema_extra={"enum": ["payment", "payout"]})
    reference: str = Field(
        description="Our reference, by which the provider knows it", examples=["dep_01980a2e7c3b7b1e9c552f6d0e1b4a77"]
    )
    why: str | None = Field(
        description="not_reported, unknown_reference, not_booked, reported_twice, reported_on_an_earlier_day, or null"
    )
    provider_row_id: str | None
    provider_amount: int | None
    provider_fee: int | None
    provider_currency: str | None
    settled_at: Instant | None = Field(description="When, by the provider")
    id: UUID | None = Field(description="Our deposit or withdrawal")
    status: str | None = Field(description="Its status when they were compared")
    amount: int | None
    currency: str | None
    booked_at: Instant | None = Field(description="When we settled it")


class TotalsView(View):
    """One currency. Minor units."""

    currency: str
    reported_in: int = Field(description="Payments, by the provider")
    reported_out: int = Field(description="Payouts, by the provider")
    fees: int = Field(description="What the provider kept")
    booked_in: int = Field(description="Deposits among these that we booked")
    booked_out: int = Field(description="Withdrawals among these that we booked")
    ledger_debits: int = Field(description="What the ledger moved on the day of the provider's account: in")
    ledger_credits: int = Field(description="And out")


class MovementView(View):
    """What one transaction of the ledger moved of the provider's account. Minor units."""

    transaction_id: UUID
    account: str = Field(examples=["provider:sandbox:KES"])
    currency: str
    debit: int
    credit: int
    kind: str
    reference: str | None
    requested_by: str
    booked_at: Instant


class ReportView(View):
    """The provider's report that was compared."""

    number: int = Field(description="1 is the first that the provider gave of the day; it grows when the provider corrects it")
    rows: int
    duplicates: int = Field(description="Rows that came twice and were left out")
    fetched_at: Instant = Field(description="When we got it")
    file_id: UUID | None = Field(description="The uploaded file that it came with; null when the provider gave it itself")


class ReconciliationCountsView(View):
    """How many of each."""

    matched: int
    missing: int
    surplus: int
    amount_mismatch: int


class ProviderDayView(View):
    """How a provider's day compares with our books."""

    id: UUID | None = Field(description="The run that was kept; null when it was compared just now")
    provider: str
    date: CalendarDay
    balanced: bool = Field(description="Nothing is missing, surplus or of another amount")
    report: ReportView | None
    started_by: UUID | None = Field(description="The operator; null when it ran by itself")
    started_at: Instant | None
    finished_at: Instant | None
    counts: ReconciliationCountsView
    totals: list[TotalsView]
    matched: list[ItemView] = Field(description=f"Reported and booked alike; the first {SHOWN_ITEMS} of each list")
    missing: list[ItemView] = Field(description="Booked by us, reported by the provider on no day")
    surplus: list[ItemView] = Field(description="Reported by the provider, not booked by us")
    amount_mismatch: list[ItemView] = Field(description="Reported with another amount or currency than ordered")
    ledger_others: list[MovementView] = Field(description="What else moved the provider's account, such as adjustments")
    ledger_not_told: list[str] = Field(description="Bookings of which the ledger has told no movement, as far as shown")


@router.get("")
async def get_reconciliation(context: Ctx, _: Support, provider: Annotated[ProviderName, Query()], day: Day) -> ProviderDayView:
    """What the provider reports of a day against what we booked, and what the ledger moved of its account.

    Each day is compared by itself soon after its end, and again for a week in case rows come late. Of a day that was not
    compared yet, such as today, this says how it stands now: `id` is null then, and nothing is kept.
    """
    return _view(await provider_day(context, provider, day))


@router.post(
    "",
    status_code=201,
    responses={200: {"model": ProviderDayView, "description": "Nothing new: the run that found the same"}},
)
async def reconcile_with_a_provider(context: Ctx, user: Admin, body: ReconciliationBody, response: Response) -> ProviderDayView:
    """Fetch the provider's report of a day and compare it now; of one that gives none, the last file that was uploaded.

    200 with the last run when neither the provider nor our books say anything new; 201 with a new one otherwise. 503
    `provider_unavailable` when the provider cannot be asked: then it is asked again by itself.
    """
    _, is_new = await reconcile_provider(context, Order(body.provider, body.date, user.user_id))
    response.status_code = 201 if is_new else 200
    return _view(await provider_day(context, body.provider, body.date))


@router.get("/{run_id}/items")
async def list_reconciliation_items(context: Ctx, _: Support, run_id: UUID, verdict: Verdict, paging: Paging) -> Page[ItemView]:
    """All items of a verdict, in the report's order."""
    after = min(paging.after.int, _HIGHEST) if paging.after is not None else -1
    found = await run_items(context, run_id, verdict, after, paging.fetch)
    return paging.page(found, lambda one: UUID(int=one[0]), lambda one: _item(one[1]))


def _view(found: ProviderDay) -> ProviderDayView:
    run, lists = found.run, {verdict.value: [_item(item) for item in found.items[verdict]] for verdict in Verdict}
    return ProviderDayView(
        id=run.id if run else None,
        provider=found.provider,
        date=found.day,
        balanced=not any(count for verdict, count in found.counts.items() if verdict is not Verdict.MATCHED),
        report=ReportView(
            number=run.report.number,
            rows=run.report.row_count,
            duplicates=run.report.duplicate_count,
            fetched_at=run.report.fetched_at,
            file_id=run.report.file_id,
        )
        if run
        else None,
        started_by=run.started_by if run else None,
        started_at=run.started_at if run else None,
        finished_at=run.finished_at if run else None,
        counts=counts_view(found.counts),
        totals=_totals(found.totals, found.ledger),
        **lists,
        ledger_others=[_movement(movement) for movement in found.ledger.others],
        ledger_not_told=list(found.ledger.not_told),
    )


def counts_view(counts: Mapping[Verdict, int]) -> ReconciliationCountsView:
    """How many of each verdict."""
    return ReconciliationCountsView(**{verdict.value: count for verdict, count in counts.items()})


def _item(item: Item) -> ItemView:
    row, booking = item.row, item.booking
    return ItemView(
        kind=item.kind,
        reference=item.reference,
        why=item.why,
        provider_row_id=row.provider_row_id if row else None,
        provider_amount=row.amount_minor if row else None,
        provider_fee=row.fee_minor if row else None,
        provider_currency=row.currency if row else None,
        settled_at=row.settled_at if row else None,
        id=booking.id if booking else None,
        status=booking.status if booking else None,
        amount=booking.amount_minor if booking else None,
        currency=booking.currency if booking else None,
        booked_at=booking.booked_at if booking else None,
    )


def _totals(totals: Sequence[Totals], ledger: LedgerDay) -> list[TotalsView]:
    by_currency = {one.currency: one for one in totals}
    return [
        TotalsView(
            currency=currency,
            reported_in=one.reported_in_minor,
            reported_out=one.reported_out_minor,
            fees=one.fees_minor,
            booked_in=one.booked_in_minor,
            booked_out=one.booked_out_minor,
            ledger_debits=ledger.debit_minor.get(currency, 0),
            ledger_credits=ledger.credit_minor.get(currency, 0),
        )
        for currency in sorted(by_currency.keys() | ledger.debit_minor.keys())
        for one in [by_currency.get(currency, Totals(currency))]
    ]


def _movement(movement: Movement) -> MovementView:
    return MovementView(
        transaction_id=movement.transaction_id,
        account=movement.account,
        currency=movement.currency,
        debit=movement.debit_minor,
        credit=movement.credit_minor,
        kind=movement.kind,
        reference=movement.reference,
        requested_by=movement.requested_by,
        booked_at=movement.booked_at,
    )
