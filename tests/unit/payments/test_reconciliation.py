"""Comparing a report with bookings: each row and each booking gets one verdict, and the right one."""

from collections import Counter
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.payments.domain.reconciliation import (
    Booking,
    Facts,
    ReportRow,
    Verdict,
    compare,
    counts_of,
    digest_of_items,
    totals_of,
)
from shared.ids import derived_id

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
_REFERENCES = st.sampled_from(["a", "b", "c", "d"])
_KINDS = st.sampled_from(["payment", "payout"])
_AMOUNTS = st.integers(1, 3)
_CURRENCIES = st.sampled_from(["KES", "USD"])

ROWS = st.lists(
    st.builds(ReportRow, st.uuids().map(str), _KINDS, _REFERENCES, _AMOUNTS, st.integers(0, 1), _CURRENCIES, st.just(NOON)),
    max_size=8,
)


def booking(kind: str, reference: str, amount_minor: int, currency: str, booked: bool) -> Booking:
    return Booking(derived_id(kind, reference), kind, reference, amount_minor, currency, "x", booked, NOON)  # type: ignore[arg-type]


BOOKINGS = st.lists(st.builds(booking, _KINDS, _REFERENCES, _AMOUNTS, _CURRENCIES, st.booleans()), unique_by=lambda one: one.key)
KEYS = st.frozensets(st.tuples(_KINDS, _REFERENCES), max_size=3)


@given(ROWS, BOOKINGS, KEYS)
def test_one_verdict_each_and_the_right_one(rows: list[ReportRow], bookings: list[Booking], before: frozenset) -> None:
    ours = {one.key: one for one in bookings}
    items = compare(Facts(rows, ours, bookings, before, before))

    assert [item.row for item in items if item.row is not None] == rows
    matched = [item for item in items if item.verdict is Verdict.MATCHED]
    assert max(Counter(item.booking.key for item in matched).values(), default=1) == 1
    for item in matched:
        assert item.booking.booked
        assert (item.row.key, item.row.amount_minor, item.row.currency) == (
            item.booking.key, item.booking.amount_minor, item.booking.currency,
        )  # fmt: skip
    missing = {item.booking.key for item in items if item.verdict is Verdict.MISSING}
    reported = {row.key for row in rows} | before
    assert missing == {one.key for one in bookings if one.booked} - reported
    for item in items:
        if item.verdict is Verdict.AMOUNT_MISMATCH:
            assert (item.row.amount_minor, item.row.currency) != (item.booking.amount_minor, item.booking.currency)
    assert sum(counts_of(items).values()) == len(items)


@given(ROWS, BOOKINGS)
def test_totals_are_those_of_both_sides(rows: list[ReportRow], bookings: list[Booking]) -> None:
    items = compare(Facts(rows, {one.key: one for one in bookings}, bookings, frozenset(), frozenset()))
    totals = totals_of(items)
    assert sum(one.reported_in_minor + one.reported_out_minor for one in totals) == sum(row.amount_minor for row in rows)
    assert sum(one.fees_minor for one in totals) == sum(row.fee_minor for row in rows)
    booked = sum(one.amount_minor for one in bookings if one.booked)
    assert sum(one.booked_in_minor + one.booked_out_minor for one in totals) == booked


def test_the_same_findings_have_the_same_digest_and_others_have_not() -> None:
    row = ReportRow("1", "payment", "a", 5, 0, "KES", NOON)
    ours = booking("payment", "a", 5, "KES", booked=True)
    pending = booking("payment", "a", 5, "KES", booked=False)
    same = [compare(Facts([row], {ours.key: ours}, [], (), ())) for _ in range(2)]
    other = compare(Facts([row], {ours.key: pending}, [], (), ()))
    assert digest_of_items(same[0]) == digest_of_items(same[1]) != digest_of_items(other)
