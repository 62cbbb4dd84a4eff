"""How a provider's day stands: the last comparison that was kept, or one made now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.payments.context import Context
from services.payments.domain.problems import NoSettlementReports, ProviderUnavailable, ReconciliationNotFound, UnknownProvider
from services.payments.domain.reconciliation import Item, Totals, Verdict, compare, counts_of, totals_of
from services.payments.providers.base import Success
from services.payments.providers.settlement_reports import read_report
from services.payments.store.bookings import Bookings, Movement
from services.payments.store.reconciliations import ReconciliationStore, Run
from services.payments.store.settlement_files import SettlementFile, SettlementFiles
from shared.problems import FieldError, InvalidRequest

SHOWN_ITEMS = 200
"""How many of each verdict are shown at once."""


@dataclass(frozen=True)
class LedgerDay:
    """What the ledger told of a provider's accounts on a day. `others` was not asked for by a deposit or withdrawal of ours."""

    debit_minor: dict[str, int]
    credit_minor: dict[str, int]
    others: Sequence[Movement]
    not_told: Sequence[str]


@dataclass(frozen=True)
class ProviderDay:
    """A provider's day. Without a `run` it was compared just now and not kept."""

    provider: str
    day: date
    run: Run | None
    counts: dict[Verdict, int]
    totals: Sequence[Totals]
    items: Mapping[Verdict, Sequence[Item]]
    ledger: LedgerDay


async def provider_day(context: Context, provider: str, day: date) -> ProviderDay:
    """The last run that was kept; without one, a comparison with what the provider says now.

    Raises `InvalidRequest` for a day that has not begun, `UnknownProvider`, `NoSettlementReports`, `ProviderUnavailable`.
    """
    if day > context.clock.now().date():
        raise InvalidRequest("That day (UTC) has not begun.", errors=[FieldError("date", "must not be in the future")])
    found = context.providers.get(provider)
    async with context.read() as connection:
        store = ReconciliationStore(connection)
        run = await store.last(provider, day)
        if run is not None:
            items = {verdict: [item for _, item in await store.items(run.id, verdict, -1, SHOWN_ITEMS)] for verdict in Verdict}
            ledger = await _ledger(Bookings(connection), provider, day, items)
            return ProviderDay(provider, day, run, run.counts, run.totals, items, ledger)
    if found is None:
        raise UnknownProvider("Use a name from GET /v1/payment-providers.")
    if not found.capabilities.reports_settlements:
        raise NoSettlementReports(
            f"{provider} does not report what it settled. Upload its file of the day: POST /v1/admin/reconciliation/files."
        )
    return await _as_it_stands(context, provider, day)


async def files_of(context: Context, provider: str | None, after: UUID | None, limit: int) -> Sequence[SettlementFile]:
    """Uploaded files (of one provider), newest first."""
    async with context.read() as connection:
        return await SettlementFiles(connection).page(provider, after, limit)


async def run_items(context: Context, run_id: UUID, verdict: Verdict, after: int, limit: int) -> Sequence[tuple[int, Item]]:
    """Items of a run with their positions, in their order. Raises `ReconciliationNotFound`."""
    async with context.read() as connection:
        store = ReconciliationStore(connection)
        if await store.find(run_id) is None:
            raise ReconciliationNotFound("Use `id` of GET /v1/admin/reconciliation.")
        return await store.items(run_id, verdict, after, limit)


async def _as_it_stands(context: Context, provider: str, day: date) -> ProviderDay:
    answer = await read_report(context.ask, provider, day)
    if not isinstance(answer, Success):
        raise ProviderUnavailable(
            f"{provider} gave no report of {day}: {answer.reason}. Try again later.", headers={"Retry-After": "30"}
        )
    async with context.read() as connection:
        bookings = Bookings(connection)
        items = compare(await bookings.facts(provider, day, answer.value.rows))
        shown = {verdict: [item for item in items if item.verdict is verdict][:SHOWN_ITEMS] for verdict in Verdict}
        ledger = await _ledger(bookings, provider, day, shown)
    return ProviderDay(provider, day, None, counts_of(items), totals_of(items), shown, ledger)


async def _ledger(bookings: Bookings, provider: str, day: date, items: Mapping[Verdict, Sequence[Item]]) -> LedgerDay:
    moved = await bookings.moved(provider, day)
    references = [
        f"{'deposit' if item.booking.kind == 'payment' else 'withdrawal'}:{item.booking.id}"
        for verdict in (Verdict.MATCHED, Verdict.MISSING)
        for item in items[verdict]
        if item.booking is not None
    ]
    return LedgerDay(
        {currency: debit_minor for currency, debit_minor, _ in moved},
        {currency: credit_minor for currency, _, credit_minor in moved},
        await bookings.moved_by_others(provider, day, SHOWN_ITEMS),
        await bookings.unmoved(references),
    )
