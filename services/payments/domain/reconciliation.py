"""Comparing what a provider reports of a day with what we booked. Pure.

Each row of the report, and each booking of the day, comes to one verdict:

- `matched`: reported and booked, with the same amount;
- `missing`: booked, and the provider reports it on no day;
- `surplus`: reported, and not booked by us: unknown, not (yet) settled here, or reported before;
- `amount_mismatch`: both, with different amounts or currencies.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Literal
from uuid import UUID

Kind = Literal["payment", "payout"]
Key = tuple[Kind, str]


class Verdict(StrEnum):
    """What comparing came to."""

    MATCHED = "matched"
    MISSING = "missing"
    SURPLUS = "surplus"
    AMOUNT_MISMATCH = "amount_mismatch"


@dataclass(frozen=True, slots=True)
class ReportRow:
    """What a provider says that it settled: money that came in (payment) or went out (payout). `reference` is ours."""

    provider_row_id: str
    kind: Kind
    reference: str
    amount_minor: int
    fee_minor: int
    currency: str
    settled_at: datetime

    @property
    def key(self) -> Key:
        """What it is about."""
        return self.kind, self.reference


@dataclass(frozen=True, slots=True)
class Booking:
    """A deposit or withdrawal of ours. `booked`: its money was moved on the provider's account, at `booked_at`."""

    id: UUID
    kind: Kind
    reference: str
    amount_minor: int
    currency: str
    status: str
    booked: bool
    booked_at: datetime | None

    @property
    def key(self) -> Key:
        """What it is about."""
        return self.kind, self.reference


@dataclass(frozen=True, slots=True)
class Item:
    """One verdict, with the two sides as far as there are two."""

    verdict: Verdict
    why: str | None
    row: ReportRow | None
    booking: Booking | None

    @property
    def kind(self) -> Kind:
        """Money in, or out."""
        return self._side.kind

    @property
    def reference(self) -> str:
        """What we call it."""
        return self._side.reference

    @property
    def _side(self) -> ReportRow | Booking:
        side = self.row or self.booking
        assert side is not None  # noqa: S101 an item has a row, a booking, or both
        return side


@dataclass(frozen=True, slots=True)
class Facts:
    """What is compared: the report's rows, the bookings they name, those of the day, and what other days' reports say."""

    rows: Sequence[ReportRow]
    bookings: Mapping[Key, Booking]
    of_the_day: Sequence[Booking]
    reported_before: Collection[Key]
    reported_on_any_day: Collection[Key]


def compare(facts: Facts) -> list[Item]:
    """The verdicts: the report's rows in their order, then the bookings that are missing from it."""
    named = {row.key for row in facts.rows}
    missing = (
        Item(Verdict.MISSING, "not_reported", None, booking)
        for booking in facts.of_the_day
        if booking.booked and booking.key not in named and booking.key not in facts.reported_on_any_day
    )
    return [*_rows(facts), *missing]


def _rows(facts: Facts) -> Iterator[Item]:
    seen: set[Key] = set()
    for row in facts.rows:
        booking = facts.bookings.get(row.key)
        if row.key in seen:
            yield Item(Verdict.SURPLUS, "reported_twice", row, booking)
        elif row.key in facts.reported_before:
            yield Item(Verdict.SURPLUS, "reported_on_an_earlier_day", row, booking)
        elif booking is None:
            yield Item(Verdict.SURPLUS, "unknown_reference", row, None)
        elif (row.amount_minor, row.currency) != (booking.amount_minor, booking.currency):
            yield Item(Verdict.AMOUNT_MISMATCH, None if booking.booked else "not_booked", row, booking)
        elif not booking.booked:
            yield Item(Verdict.SURPLUS, "not_booked", row, booking)
        else:
            yield Item(Verdict.MATCHED, None, row, booking)
        seen.add(row.key)


def counts_of(items: Sequence[Item]) -> dict[Verdict, int]:
    """How many of each verdict."""
    counted = Counter(item.verdict for item in items)
    return {verdict: counted[verdict] for verdict in Verdict}


@dataclass(frozen=True, slots=True)
class Totals:
    """All items of one currency together, minor units. `booked_…` is what we booked, reported or not."""

    currency: str
    reported_in_minor: int = 0
    reported_out_minor: int = 0
    fees_minor: int = 0
    booked_in_minor: int = 0
    booked_out_minor: int = 0


def totals_of(items: Sequence[Item]) -> list[Totals]:
    """Totals by currency."""
    added: dict[str, Totals] = {}
    booked: set[UUID] = set()
    for item in items:
        row, booking = item.row, item.booking
        if row is not None:
            way = "reported_in_minor" if row.kind == "payment" else "reported_out_minor"
            _add(added, row.currency, **{way: row.amount_minor, "fees_minor": row.fee_minor})
        if booking is not None and booking.booked and booking.id not in booked:
            booked.add(booking.id)
            way = "booked_in_minor" if booking.kind == "payment" else "booked_out_minor"
            _add(added, booking.currency, **{way: booking.amount_minor})
    return [added[currency] for currency in sorted(added)]


def _add(added: dict[str, Totals], currency: str, **amounts_minor: int) -> None:
    present = added.get(currency, Totals(currency))
    added[currency] = replace(present, **{name: getattr(present, name) + more for name, more in amounts_minor.items()})


_ROW = attrgetter(*(field.name for field in fields(ReportRow)))
_BOOKING = attrgetter(*(field.name for field in fields(Booking)))


def _texts(values: Iterable[object]) -> list[str]:
    return [str(value) for value in values]


def digest_of_rows(rows: Sequence[ReportRow]) -> bytes:
    """32 bytes that two reports share exactly when they say the same."""
    return _digest([_texts(_ROW(row)) for row in rows])


def digest_of_items(items: Sequence[Item]) -> bytes:
    """32 bytes that two comparisons share exactly when they found the same."""
    return _digest(
        [
            [
                item.verdict.value,
                item.why,
                _texts(_ROW(item.row)) if item.row is not None else None,
                _texts(_BOOKING(item.booking)) if item.booking is not None else None,
            ]
            for item in items
        ]
    )


def _digest(value: object) -> bytes:
    return hashlib.sha256(json.dumps(value).encode()).digest()
