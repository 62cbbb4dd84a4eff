"""Take what a provider settled from a file that an operator uploads, and compare each of its days with our books.

The file is read as it comes, with no transaction open; one bad line, and nothing of it is taken. Then its days are claimed,
and reports, comparisons and events are written together. The same file again, for the same days, changes nothing.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from services.payments.commands.compare_day import compare_day
from services.payments.context import Context
from services.payments.domain.problems import (
    DayNotClosed,
    ReconciliationRunning,
    SettlementFileRefused,
    SettlementFileTooLarge,
    UnknownProvider,
)
from services.payments.domain.settlement_file import MOST_DAYS, FileTooLarge, SettlementFileReader
from services.payments.store.reconciliations import Run
from services.payments.store.settlement_files import SettlementFile
from services.payments.store.settlements import SettlementStore
from services.payments.store.unit_of_work import PaymentsWork
from shared.ids import new_id
from shared.problems import FieldError, InvalidRequest

_CLAIM = timedelta(minutes=15)


@dataclass(frozen=True)
class FileOrder:
    """Whose file it is, and the days (UTC) for which it speaks."""

    provider: str
    first_day: date
    last_day: date
    operator_id: UUID


@dataclass(frozen=True)
class Imported:
    """The file, whether it is new, and the last run of each of its days."""

    file: SettlementFile
    is_new: bool
    runs: Sequence[Run]


async def import_settlement_file(context: Context, order: FileOrder, pieces: AsyncIterator[bytes]) -> Imported:
    """What came of it.

    Raises `InvalidRequest`, `UnknownProvider`, `DayNotClosed`, `SettlementFileTooLarge`, `SettlementFileRefused`,
    `ReconciliationRunning`.
    """
    started_at = context.clock.now()
    await _check(context, order, started_at.date())
    reader = await _read(order, pieces)
    async with context.unit_of_work() as work:
        for day in reader.days:
            if not await work.settlements.claim(order.provider, day, work.now, work.now + _CLAIM):
                raise ReconciliationRunning(f"{day} is being compared. Send the file again soon.", headers={"Retry-After": "10"})
    try:
        async with context.unit_of_work() as work:
            return await _take(work, order, reader, started_at, ask=order.provider in context.providers)
    finally:
        await _unclaim(context, order, reader)


async def _check(context: Context, order: FileOrder, today: date) -> None:
    if order.last_day < order.first_day or (order.last_day - order.first_day).days >= MOST_DAYS:
        raise InvalidRequest(
            f"A file is for 1 to {MOST_DAYS} days. Send a longer one in parts.",
            errors=[FieldError("to", f"must be at most {MOST_DAYS - 1} days after `from`, and not before it")],
        )
    if order.last_day >= today:
        raise DayNotClosed("A file is for days that have ended (UTC). Send it again tomorrow, or without today.")
    if order.provider not in context.providers:
        async with context.read() as connection:
            if await SettlementStore(connection).first_day(order.provider) is None:
                raise UnknownProvider("Nothing was ever paid through it. Use a name from GET /v1/payment-providers.")


async def _read(order: FileOrder, pieces: AsyncIterator[bytes]) -> SettlementFileReader:
    reader = SettlementFileReader(order.first_day, order.last_day)
    try:
        async for piece in pieces:
            reader.feed(piece)
        reader.finish()
    except FileTooLarge as limit:
        raise SettlementFileTooLarge(f"A file has at most {limit}. Send it in parts, each for some days.") from None
    if reader.faults:
        named = len(reader.faults)
        more = f" Only the first {named} are named." if reader.fault_count > named else ""
        raise SettlementFileRefused(
            f"{reader.fault_count} lines cannot be read, and nothing was taken.{more} Correct them and send the file again.",
            errors=[FieldError(f"line {fault.line}", fault.message) for fault in reader.faults],
        )
    return reader


async def _take(
    work: PaymentsWork, order: FileOrder, reader: SettlementFileReader, started_at: datetime, *, ask: bool
) -> Imported:
    file = SettlementFile(
        id=new_id(),
        provider=order.provider,
        first_day=order.first_day,
        last_day=order.last_day,
        sha256=reader.sha256,
        byte_count=reader.byte_count,
        row_count=reader.row_count,
        duplicate_count=reader.duplicate_count,
        uploaded_by=order.operator_id,
        uploaded_at=work.now,
    )
    kept, is_new = await work.settlement_files.keep(file)
    runs = []
    for day in reader.days:
        if is_new:
            rows = reader.rows[day]
            report = await work.settlements.keep(order.provider, day, rows, 0, work.now, file_id=file.id)
            run, _ = await compare_day(
                work, order.provider, day, report, rows, operator_id=order.operator_id, started_at=started_at, ask=ask
            )
            runs.append(run)
        elif last := await work.reconciliations.last(order.provider, day):
            runs.append(last)
    if is_new:
        _tell(work, kept, runs)
    return Imported(kept, is_new, runs)


def _tell(work: PaymentsWork, file: SettlementFile, runs: Sequence[Run]) -> None:
    after = {
        "provider": file.provider,
        "from": file.first_day.isoformat(),
        "to": file.last_day.isoformat(),
        "sha256": file.sha256.hex(),
        "rows": file.row_count,
        "days_with_differences": [run.day.isoformat() for run in runs if not run.balanced],
    }
    work.publish_action("reconciliation.file_taken", actor=file.uploaded_by, subject_id=file.id, after=after)


async def _unclaim(context: Context, order: FileOrder, reader: SettlementFileReader) -> None:
    """Let go of the days; those of a provider that reports by itself are still asked for in their turn."""
    provider = context.providers.get(order.provider)
    reports = provider is not None and provider.capabilities.reports_settlements
    async with context.unit_of_work() as work:
        for day in reader.days:
            await work.settlements.unclaim(order.provider, day, watch_from=work.now if reports else None)
