"""A statement as a table for spreadsheets: one row an entry, the opening balance first and the closing balance last."""

import csv
import io
from collections.abc import AsyncIterator

from services.wallet_ledger.context import Context
from services.wallet_ledger.queries.statements import Statement, statement_entries
from shared.money import format_minor


async def statement_csv(context: Context, statement: Statement) -> AsyncIterator[str]:
    """The lines, entries read some at a time."""
    currency = statement.wallet.currency
    yield _row("booked_at", "effective_on", "kind", "description", "reference", "in", "out", "balance", "currency", "entry_id")
    opening = format_minor(statement.opening_minor, currency)
    yield _row("", statement.from_day, "opening_balance", "", "", "", "", opening, currency, "")
    async for entry in statement_entries(context, statement):
        amount = format_minor(entry.amount_minor, currency)
        came = entry.direction == "credit"
        yield _row(
            entry.booked_at.isoformat(),
            entry.effective_on,
            entry.kind,
            _harmless(entry.description),
            entry.reference or "",
            amount if came else "",
            "" if came else amount,
            format_minor(entry.balance_after_minor, currency),
            currency,
            entry.id,
        )
    closing = format_minor(statement.closing_minor, currency)
    yield _row("", statement.to_day, "closing_balance", "", "", "", "", closing, currency, "")


def _harmless(text: str | None) -> str:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text and text[0] in "=+-@\t\r" else text or ""


def _row(*cells: object) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
