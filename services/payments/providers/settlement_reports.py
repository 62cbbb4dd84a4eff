"""Reads a provider's whole report of a day, page by page; half a report is none."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeVar

from services.payments.domain.reconciliation import ReportRow
from services.payments.providers.base import Answer, Provider, SettlementPage, Success, Unknown

T = TypeVar("T")

_TRIES = 3
_PAUSE_SECONDS = 0.2
_MAX_ROWS = 5_000_000


class Ask(Protocol):
    """How a provider is asked: within its time, and not while it is left alone."""

    async def __call__(self, name: str, question: Callable[[Provider], Awaitable[Answer[T]]]) -> Answer[T]:
        """The answer."""
        ...


@dataclass(frozen=True)
class Report:
    """What a provider says of a day. Rows that came twice are there once; `duplicates` counts what was left out."""

    day: date
    complete: bool
    rows: tuple[ReportRow, ...]
    duplicates: int


async def read_report(ask: Ask, provider: str, day: date) -> Answer[Report]:
    """The report, or why there is none: `Unknown` when a page cannot be had, or the pages do not fit together."""
    rows: list[ReportRow] = []
    cursor, first = None, None
    while True:
        answer = await _page(ask, provider, day, cursor)
        if not isinstance(answer, Success):
            return answer
        page, first = answer.value, first or answer.value
        if (page.day, page.complete, page.total_rows) != (day, first.complete, first.total_rows):
            return Unknown("the report changed while it was read")
        rows += page.rows
        if page.next_cursor is None:
            break
        if page.next_cursor == cursor or not page.rows or len(rows) > _MAX_ROWS:
            return Unknown("the report's pages have no end")
        cursor = page.next_cursor
    once = tuple(dict.fromkeys(rows))
    if first.total_rows not in (len(rows), len(once)):
        return Unknown(f"the report has {len(once)} rows and says that it has {first.total_rows}")
    return Success(Report(day, first.complete, once, len(rows) - len(once)))


async def _page(ask: Ask, provider: str, day: date, cursor: str | None) -> Answer[SettlementPage]:
    """One page; asking again changes nothing, so it is asked some times."""
    for attempt in range(1, _TRIES + 1):
        answer = await ask(provider, lambda one: one.settlements(day, cursor))
        if not isinstance(answer, Unknown) or attempt == _TRIES:
            return answer
        await asyncio.sleep(_PAUSE_SECONDS * attempt)
    raise AssertionError("the last try gives its answer")
