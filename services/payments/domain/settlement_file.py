"""A settlement file: what a provider settled on some days, as CSV. Read line by line as it comes, bounded, pure.

The first line names the columns, in any order. Each other line is one payment that came in or one payout that went out:

    row_id,kind,reference,amount_minor,fee_minor,currency,settled_at
    T-1001,payment,dep_01980a2e7c3b7b1e9c552f6d0e1b4a77,12500,125,KES,2026-01-31T09:30:00Z

`row_id` is the provider's name of the row, `reference` ours of the order, amounts are integers of minor units, `settled_at`
is RFC 3339 with an offset, or a day (UTC). A file speaks for whole days: what it does not name was not settled on them.
"""

import csv
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from services.payments.domain.reconciliation import Kind, ReportRow
from shared.money import MAX_AMOUNT_MINOR, UnknownCurrency
from shared.money import currency as currency_of

COLUMNS = ("row_id", "kind", "reference", "amount_minor", "fee_minor", "currency", "settled_at")
MOST_BYTES = 16 << 20
MOST_ROWS = 100_000
MOST_DAYS = 31
MOST_FAULTS = 100
"""So many bad lines are named; the others are counted."""
_LONGEST_LINE_BYTES = 2_000
_LONGEST_TEXT = 200
_KINDS: Mapping[str, Kind] = {"payment": "payment", "payout": "payout"}
_NUMBER = re.compile(r"[0-9]{1,16}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class FileTooLarge(Exception):
    """More bytes or rows than one file may have."""


@dataclass(frozen=True)
class Fault:
    """A line that cannot be taken, and why."""

    line: int
    message: str


class _Wrong(Exception):
    """Why a line cannot be taken."""


class SettlementFileReader:
    """Reads a file of the days `first` to `last` (UTC). Rows that stand there twice are taken once, and counted."""

    def __init__(self, first: date, last: date) -> None:
        self.days = tuple(first + timedelta(days=number) for number in range((last - first).days + 1))
        self.rows: dict[date, list[ReportRow]] = {day: [] for day in self.days}
        self.faults: list[Fault] = []
        self.fault_count = self.row_count = self.duplicate_count = self.byte_count = 0
        self._digest = hashlib.sha256()
        self._rest = b""
        self._line = 0
        self._columns: list[str] | None = None
        self._seen: dict[str, tuple[int, ReportRow]] = {}

    @property
    def sha256(self) -> bytes:
        """Of what was read so far."""
        return self._digest.digest()

    def feed(self, piece: bytes) -> None:
        """More of the file. Raises `FileTooLarge`."""
        self.byte_count += len(piece)
        if self.byte_count > MOST_BYTES:
            raise FileTooLarge(f"{MOST_BYTES} bytes")
        self._digest.update(piece)
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            self._take(line)
        if len(self._rest) > _LONGEST_LINE_BYTES:  # whatever follows, this line is too long already
            self._rest = self._rest[: _LONGEST_LINE_BYTES + 1]

    def finish(self) -> None:
        """The file has ended. Raises `FileTooLarge`."""
        if self._rest:
            self._take(self._rest)
            self._rest = b""
        if self._columns is None and not self.fault_count:
            self._fault(1, f"the first line must name the columns: {','.join(COLUMNS)}")

    def _take(self, raw: bytes) -> None:
        self._line += 1
        try:
            cells = _cells(raw)
            if self._columns is None:
                self._columns = _columns(cells)
            elif cells:
                self._add(_row(self._columns, cells, self.rows))
        except _Wrong as wrong:
            self._fault(self._line, str(wrong))
            if self._columns is None:
                self._columns = list(COLUMNS)  # so that the other lines are looked at, too

    def _add(self, row: ReportRow) -> None:
        line, earlier = self._seen.setdefault(row.provider_row_id, (self._line, row))
        if earlier != row:
            raise _Wrong(f"row_id: line {line} has the same one, and says something else")
        if line != self._line:
            self.duplicate_count += 1
            return
        self.row_count += 1
        if self.row_count > MOST_ROWS:
            raise FileTooLarge(f"{MOST_ROWS} rows")
        self.rows[row.settled_at.date()].append(row)

    def _fault(self, line: int, message: str) -> None:
        self.fault_count += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(line, message))


def _cells(raw: bytes) -> list[str]:
    if len(raw) > _LONGEST_LINE_BYTES:
        raise _Wrong(f"it has more than {_LONGEST_LINE_BYTES} bytes")
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff").rstrip("\r")
        return [cell.strip() for cell in next(csv.reader([text], strict=True))] if text.strip() else []
    except UnicodeDecodeError:
        raise _Wrong("it is not UTF-8") from None
    except csv.Error:
        raise _Wrong("a quotation mark is not closed, or stands within a cell") from None


def _columns(cells: list[str]) -> list[str]:
    if sorted(cells) != sorted(COLUMNS):
        raise _Wrong(f"the first line must name the columns: {','.join(COLUMNS)}")
    return cells


def _row(columns: list[str], cells: list[str], days: Iterable[date]) -> ReportRow:
    if len(cells) != len(columns):
        raise _Wrong(f"it has {len(cells)} cells, and {len(columns)} are needed")
    given = dict(zip(columns, cells, strict=True))
    readers: Mapping[str, Callable[[str], object]] = {
        "row_id": _text,
        "kind": _kind,
        "reference": _text,
        "amount_minor": _amount,
        "fee_minor": _fee,
        "currency": _currency,
        "settled_at": _instant,
    }
    values: list[object] = []
    wrong: list[str] = []
    for name in COLUMNS:
        try:
            values.append(readers[name](given[name]))
        except _Wrong as reason:
            wrong.append(f"{name}: {reason}")
    if wrong:
        raise _Wrong("; ".join(wrong))
    row = ReportRow(*values)  # type: ignore[arg-type] # in the order of its fields
    if row.settled_at.date() not in days:
        raise _Wrong("settled_at: it is on none of the file's days (UTC)")
    return row


def _text(cell: str) -> str:
    if not cell or len(cell) > _LONGEST_TEXT or not cell.isprintable():
        raise _Wrong(f"must be 1 to {_LONGEST_TEXT} printable characters")
    return cell


def _kind(cell: str) -> Kind:
    if cell not in _KINDS:
        raise _Wrong("must be payment or payout")
    return _KINDS[cell]


def _amount(cell: str) -> int:
    if not _NUMBER.fullmatch(cell) or not 0 < int(cell) <= MAX_AMOUNT_MINOR:
        raise _Wrong(f"must be an integer of minor units, 1 to {MAX_AMOUNT_MINOR}")
    return int(cell)


def _fee(cell: str) -> int:
    if not _NUMBER.fullmatch(cell) or int(cell) > MAX_AMOUNT_MINOR:
        raise _Wrong("must be an integer of minor units, 0 or more")
    return int(cell)


def _currency(cell: str) -> str:
    try:
        return currency_of(cell).code
    except UnknownCurrency:
        raise _Wrong("must be an ISO 4217 code in capitals, such as KES") from None


def _instant(cell: str) -> datetime:
    try:
        instant = datetime.fromisoformat(f"{cell}T00:00:00Z" if _DAY.fullmatch(cell) else cell)
        if instant.tzinfo is None:
            raise ValueError("no offset")
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Wrong("must be like 2026-01-31T09:30:00Z, or a day") from None
