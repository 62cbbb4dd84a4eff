"""Every published schedule, overdue ones included, to the minor unit."""

from datetime import date

import pytest

from services.lending.domain.due_dates import MONTHLY, due_dates
from services.lending.domain.schedule import build_schedule
from services.lending.domain.servicing import replay
from tests.support.lending_examples import Vector, cents, day, of_kind, payments_of, terms_of

Row = tuple[int, date, int, int, int | None]


def _expected(vector: Vector) -> list[Row]:
    outstanding = "outstanding" in vector["expected"][0]
    return [
        (
            row["n"],
            day(row["due"]),
            cents(row["principal"]),
            cents(row["interest"]),
            cents(row["outstanding"]) if outstanding else None,
        )
        for row in vector["expected"]
    ]


def _rows(vector: Vector) -> list[Row]:
    inputs = vector["inputs"]
    terms, disbursed_on = terms_of(inputs), day(inputs["disbursed"])
    if "business_date" in inputs:
        state = replay(terms, disbursed_on, payments_of(inputs), day(inputs["business_date"]))
        installments: tuple = state.installments
    else:
        installments = build_schedule(terms, disbursed_on)
    outstanding = "outstanding" in vector["expected"][0]
    return [
        (row.number, row.due_on, row.principal_minor, row.interest_minor, row.outstanding_minor if outstanding else None)
        for row in installments
    ]


@pytest.mark.parametrize("vector", of_kind("schedule"), ids=lambda vector: vector["id"])
def test_schedule(vector: Vector) -> None:
    assert _rows(vector) == _expected(vector)


@pytest.mark.parametrize("vector", of_kind("schedule"), ids=lambda vector: vector["id"])
def test_totals_where_given(vector: Vector) -> None:
    totals = [cents(row["total"]) for row in vector["expected"] if "total" in row]
    rows = _rows(vector)
    assert [principal + interest for _, _, principal, interest, _ in rows[: len(totals)]] == totals


@pytest.mark.parametrize("vector", of_kind("due-dates"), ids=lambda vector: vector["id"])
def test_due_dates(vector: Vector) -> None:
    inputs = vector["inputs"]
    first = day(inputs["first_due"])
    assert due_dates(date(2023, 1, 1), first, MONTHLY, inputs["n"]) == [day(text) for text in vector["expected"]]
