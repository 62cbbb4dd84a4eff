"""Statements: their days, their formats, and what is refused."""

import re
import zlib
from datetime import date, timedelta
from typing import Any

import pytest

from services.wallet_ledger.queries import statements
from tests.service.wallet_ledger.conftest import NOON, Person, World, move, transaction

TODAY = NOON.date()


@pytest.fixture
def world(world_at_noon: World) -> World:
    """Statements are about days."""
    return world_at_noon


async def statement(world: World, person: Person, **asked: Any) -> Any:
    path = f"/v1/wallets/{person.wallet_id}/statement"
    return await world.client.get(path, params=asked, headers=person.headers)


def texts_of(pdf: bytes) -> list[str]:
    """What is drawn on each page of a PDF."""
    pages = [zlib.decompress(stream) for stream in re.findall(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL)]
    drawn = [b" ".join(re.findall(rb"\((.*?)(?<!\\)\) Tj", page)).decode("windows-1252") for page in pages]
    return [" ".join(text.replace("\\(", "(").replace("\\)", ")").split()) for text in drawn]


async def test_without_days_it_is_this_month_so_far(world: World) -> None:
    ann = await world.person(10_000)
    seen = (await statement(world, ann)).json()
    ending = (await statement(world, ann, to="2024-02-20")).json()

    assert (seen["from"], seen["to"]) == ("2026-03-01", "2026-03-15")
    assert (seen["opening_balance"], seen["total_in"], seen["closing_balance"]) == (0, 10_000, 10_000)
    assert (ending["from"], ending["to"], ending["entries"]) == ("2024-02-01", "2024-02-20", [])


async def test_on_paper_with_both_balances_and_every_entry(world: World) -> None:
    ann, ben = await world.person(1_234_567), await world.person()
    for number in range(60):
        moved = move(ann.account, ben.account, 100 + number)
        await world.poster.post(transaction(moved, kind="transfer", description=f"Zürich ({number}) 東京"))

    answer = await statement(world, ann, format="pdf")
    pages = texts_of(answer.content)

    assert answer.headers["content-type"] == "application/pdf"
    assert re.search(r'filename="statement-KES-[\d-]+\.pdf"', answer.headers["content-disposition"])
    assert answer.content.startswith(b"%PDF-")
    assert len(pages) == 2
    assert [f"Page {number} of 2" in page for number, page in enumerate(pages, 1)] == [True, True]
    assert "Opening balance 0.00 KES" in pages[0]
    assert "12,345.67 KES" in pages[0]
    assert "12,267.97 KES" in pages[0]
    assert sum(page.count("Transfer: Zürich") for page in pages) == 60
    assert "Transfer: Zürich (59) ??" in pages[1]
    assert str(ben.wallet_id) not in "".join(pages)


async def test_on_paper_nothing_is_a_page_too(world: World) -> None:
    ann = await world.person()
    (page,) = texts_of((await statement(world, ann, format="pdf")).content)
    assert "Nothing came in or went out" in page


async def test_what_is_refused(world: World) -> None:
    ann, ben = await world.person(100), await world.person()

    for asked in ({"from": "2999-01-01"}, {"from": "2020-01-01", "to": "2022-01-01"}, {"format": "docx"}, {"from": "soon"}):
        assert (await statement(world, ann, **asked)).status_code == 422, asked
    stranger = await world.client.get(f"/v1/wallets/{ann.wallet_id}/statement?format=pdf", headers=ben.headers)
    assert (stranger.status_code, stranger.json()["code"]) == (404, "wallet_not_found")


async def test_by_effective_date_corrections_are_where_they_belong(world: World) -> None:
    ann, ben = await world.person(10_000), await world.person()
    today = TODAY
    ago = [today - timedelta(days=days) for days in range(30)]

    async def pay(amount_minor: int, effective_on: date | None) -> None:
        await world.poster.post(transaction(move(ann.account, ben.account, amount_minor), effective_on=effective_on))

    await pay(1, None)
    await pay(10, ago[9])
    await pay(100, ago[20])
    await pay(1_000, today + timedelta(days=3))
    await pay(2, None)

    async def balance(at: date, by: str) -> int:
        asked = {"at": f"{at}T12:00:00Z", "by": by}
        answer = await world.client.get(f"/v1/wallets/{ben.wallet_id}/balance", params=asked, headers=ben.headers)
        return int(answer.json()["balance"])

    days = [ago[21], ago[20], ago[9], ago[1], today, today + timedelta(days=3)]
    assert [await balance(day, "effective") for day in days] == [0, 100, 110, 110, 113, 1_113]
    assert [await balance(day, "booked") for day in (ago[1], today + timedelta(days=1))] == [0, 1_113]
    seen = (await statement(world, ben, **{"from": str(ago[9]), "to": str(today), "by": "effective"})).json()
    assert (seen["by"], seen["opening_balance"], seen["total_in"], seen["closing_balance"]) == ("effective", 100, 13, 113)
    assert [(entry["amount"], entry["balance_after"]) for entry in seen["entries"]] == [(10, 110), (1, 111), (2, 113)]
    booked = (await statement(world, ben, **{"from": str(ago[9]), "to": str(today)})).json()
    assert (booked["opening_balance"], booked["total_in"], booked["closing_balance"]) == (0, 1_113, 1_113)
    (page,) = texts_of((await statement(world, ben, **{"from": str(ago[9]), "by": "effective", "format": "pdf"})).content)
    assert "by effective date" in page
    assert f"{ago[9]} Test 0.10 1.10" in page
    table = (await statement(world, ben, **{"from": str(ago[20]), "by": "effective", "format": "csv"})).text.splitlines()
    assert len(table) == 7


async def test_a_long_statement_by_effective_date_is_in_order(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "_ROWS_A_FETCH", 3)
    ann, ben = await world.person(10_000), await world.person()
    today = TODAY
    days = [None, *(today - timedelta(days=number % 5) for number in range(23)), None]
    for number, day in enumerate(days):
        await world.poster.post(transaction(move(ann.account, ben.account, number + 1), effective_on=day))

    seen = (await statement(world, ben, **{"from": str(today - timedelta(days=3)), "by": "effective"})).json()

    counted = sorted((day or today, number + 1) for number, day in enumerate(days) if day != today - timedelta(days=4))
    assert [(entry["effective_on"], entry["amount"]) for entry in seen["entries"]] == [(str(day), n) for day, n in counted]
    assert seen["entries"][-1]["balance_after"] == seen["closing_balance"] == sum(range(1, len(days) + 1))
