"""Reading settlement files: in pieces of any size, bounded, each bad line named."""

from datetime import UTC, date, datetime

import pytest

from services.payments.domain import settlement_file
from services.payments.domain.reconciliation import ReportRow
from services.payments.domain.settlement_file import COLUMNS, FileTooLarge, SettlementFileReader

HEADER = ",".join(COLUMNS)
FIRST, LAST = date(2026, 1, 30), date(2026, 1, 31)
GOOD = "T-1,payment,dep_1,12500,125,KES,2026-01-31T09:30:00Z"


def read(text: str | bytes, piece_bytes: int = 10**6) -> SettlementFileReader:
    content = text if isinstance(text, bytes) else text.encode()
    reader = SettlementFileReader(FIRST, LAST)
    for begin in range(0, len(content), piece_bytes):
        reader.feed(content[begin : begin + piece_bytes])
    reader.finish()
    return reader


@pytest.mark.parametrize("piece_bytes", [1, 2, 7, 64, 10**6])
def test_a_file_as_spreadsheets_write_it(piece_bytes: int) -> None:
    """A byte order mark, carriage returns, quotes, another order, an empty line, no line end at the end."""
    lines = [
        "\ufeffkind,currency,settled_at,row_id,reference,fee_minor,amount_minor",
        'payment,KES,2026-01-31T02:00:00+03:00,"T-1, ""é""",dep_1,125,12500',
        "",
        "payout,UGX,2026-01-31, T-2 ,wdr_1,0,7",
        "payout,UGX,2026-01-31, T-2 ,wdr_1,0,7",
    ]
    reader = read("\r\n".join(lines), piece_bytes)
    assert reader.faults == []
    assert (reader.row_count, reader.duplicate_count) == (2, 1)
    assert reader.rows == {
        FIRST: [ReportRow('T-1, "é"', "payment", "dep_1", 12_500, 125, "KES", datetime(2026, 1, 30, 23, tzinfo=UTC))],
        LAST: [ReportRow("T-2", "payout", "wdr_1", 7, 0, "UGX", datetime(2026, 1, 31, tzinfo=UTC))],
    }
    assert reader.sha256 == read("\r\n".join(lines)).sha256


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (GOOD.replace("payment", "charge"), "kind: must be payment or payout"),
        (GOOD.replace("12500", "125.00"), "amount_minor: must be an integer"),
        (GOOD.replace("12500", "0"), "amount_minor: must be an integer"),
        (GOOD.replace("12500", "1000000000000001"), "amount_minor: must be an integer"),
        (GOOD.replace("12500", "١٢"), "amount_minor: must be an integer"),
        (GOOD.replace("125,KES", "-1,KES"), "fee_minor: must be an integer"),
        (GOOD.replace("KES", "XXX"), "currency: must be an ISO 4217 code"),
        (GOOD.replace("dep_1", ""), "reference: must be 1 to 200 printable"),
        (GOOD.replace("dep_1", "a\x00b"), "reference: must be 1 to 200 printable"),
        (GOOD.replace("dep_1", "x" * 201), "reference: must be 1 to 200 printable"),
        (GOOD.replace("Z", ""), "settled_at: must be like"),
        (GOOD.replace("2026-01-31T09:30:00Z", "31.01.2026"), "settled_at: must be like"),
        (GOOD.replace("2026-01-31T09:30:00Z", "0001-01-01T00:00:00+14:00"), "settled_at: must be like"),
        (GOOD.replace("2026-01-31", "2026-02-01"), "settled_at: it is on none of the file's days"),
        (GOOD + ",more", "it has 8 cells, and 7 are needed"),
        ('"' + GOOD, "a quotation mark is not closed"),
        ("x" * 2_001, "it has more than 2000 bytes"),
    ],
)
def test_a_bad_line_is_named_and_the_others_are_looked_at(line: str, says: str) -> None:
    reader = read(f"{HEADER}\n{GOOD}\n{line}\n{GOOD.replace('T-1', 'T-3')}\nnonsense\n")
    bad, nonsense = reader.faults
    assert bad.line == 3
    assert bad.message.startswith(says)
    assert nonsense.line == 5
    assert reader.row_count == 2


def test_a_line_that_is_no_text() -> None:
    (fault,) = read(HEADER.encode() + b"\n" + GOOD.replace("dep_1", "@").encode().replace(b"@", b"\xff")).faults
    assert (fault.line, fault.message) == (2, "it is not UTF-8")


def test_everything_that_is_wrong_with_a_line_is_said_at_once() -> None:
    (fault,) = read(f"{HEADER}\nT,charge,,1.5,0,KES,today").faults
    assert [part.split(":")[0] for part in fault.message.split("; ")] == ["kind", "reference", "amount_minor", "settled_at"]


def test_one_row_id_for_two_things() -> None:
    (fault,) = read(f"{HEADER}\n{GOOD}\n{GOOD.replace('12500', '12501')}").faults
    assert (fault.line, fault.message) == (3, "row_id: line 2 has the same one, and says something else")


@pytest.mark.parametrize("text", ["", "\n", GOOD, HEADER.replace("fee_minor", "fee"), f"{HEADER},more", f"{HEADER},row_id"])
def test_without_the_columns_names(text: str) -> None:
    reader = read(f"{text}\n{GOOD}" if text else "")
    assert reader.faults[0].line == 1
    assert HEADER in reader.faults[0].message


def test_a_file_of_days_on_which_nothing_happened() -> None:
    reader = read(f"{HEADER}\n")
    assert (reader.faults, reader.rows) == ([], {FIRST: [], LAST: []})


def test_many_bad_lines_are_counted_and_some_are_named() -> None:
    reader = read(HEADER + "\nx" * 1_000)
    assert (reader.fault_count, len(reader.faults)) == (1_000, settlement_file.MOST_FAULTS)


def test_a_file_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settlement_file, "MOST_BYTES", 1_000)
    with pytest.raises(FileTooLarge, match="1000 bytes"):
        read("x" * 1_001, 10)
    monkeypatch.setattr(settlement_file, "MOST_ROWS", 2)
    with pytest.raises(FileTooLarge, match="2 rows"):
        read("\n".join([HEADER, *(GOOD.replace("T-1", f"T-{number}") for number in range(3))]))


def test_a_line_without_end_is_not_kept() -> None:
    reader = SettlementFileReader(FIRST, LAST)
    for _ in range(100):
        reader.feed(b"x" * 10_000)
    assert len(reader._rest) <= 2_001
