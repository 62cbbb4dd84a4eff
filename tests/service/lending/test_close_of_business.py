"""Close of business: each date once, in order, however often it is asked for and wherever it was interrupted."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from services.lending.commands import close_business
from services.lending.commands.close_business import close_past_days
from tests.service.lending.conftest import World, lending_world


class Killed(Exception):
    """The process ends here."""


async def days(world: World) -> list[tuple[date, str]]:
    rows = await world.owner.fetch("SELECT business_date, status FROM lending.business_days ORDER BY started_at, business_date")
    return [(row["business_date"], row["status"]) for row in rows]


async def loans_due_on(world: World, count: int) -> list[str]:
    """So many loans, all with an installment due on 28 February."""
    borrower = await world.person()
    return [(await world.active(borrower, 50_001))[0] for _ in range(count)]


async def due(world: World) -> list[str]:
    return sorted(one["loan_id"] for one in await world.told("lending.installment.due"))


async def test_each_date_once_and_in_order(world: World):
    borrower = await world.person()
    await world.active(borrower, 50_001)
    first = await world.close("2026-02-28")
    assert (first["status"], first["days_closed"]) == ("completed", 29)  # from the day of the application
    assert first["days"] == [{"business_date": "2026-02-28", "counts": {"loans": 1, "installments_due": 1}}]
    closed = await days(world)
    assert closed == [(date(2026, 1, 31) + timedelta(days=number), "closed") for number in range(29)]
    again = await world.close("2026-02-28")
    assert (again["days_closed"], again["days"]) == (0, [])
    assert (await world.close("2026-02-01"))["days_closed"] == 0
    assert len(await world.told("lending.installment.due")) == 1
    assert await days(world) == closed
    calendar = await world.get(world.admin, "/v1/admin/close-of-business")
    assert calendar == {"today": "2026-02-28", "last_closed": "2026-02-28", "simulation": True}


async def test_twice_in_parallel(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(close_business, "BATCH", 2)
    loans = await loans_due_on(world, 5)
    runs = await asyncio.gather(*(world.close("2026-03-10") for _ in range(3)))
    assert sum(run["days_closed"] for run in runs) == 39
    closed = await days(world)
    assert closed == sorted(closed)
    assert await due(world) == sorted(loans)
    assert sorted(one["loan_id"] for one in await world.told("lending.late_fee.charged")) == sorted(loans)
    assert sum(day["counts"].get("late_fees", 0) for run in runs for day in run["days"]) == 5


@pytest.mark.parametrize("after", [1, 2, 3, 4])
async def test_killed_on_its_way_it_goes_on(world: World, monkeypatch: pytest.MonkeyPatch, after: int):
    monkeypatch.setattr(close_business, "BATCH", 2)
    loans = await loans_due_on(world, 5)
    await world.close("2026-02-27")
    done, close_loan = 0, close_business._close_loan

    async def killed(*arguments: object) -> object:
        nonlocal done
        done += 1
        if done > after:
            raise Killed
        return await close_loan(*arguments)

    monkeypatch.setattr(close_business, "_close_loan", killed)
    with pytest.raises(Killed):
        await close_business.close_business(world.context, date(2026, 2, 28))
    # Whole batches of two count; what was begun does not.
    assert await due(world) == sorted(loans)[: after // 2 * 2]
    assert (await world.get(world.admin, "/v1/admin/close-of-business"))["last_closed"] == "2026-02-27"
    monkeypatch.setattr(close_business, "_close_loan", close_loan)
    rest = await world.close("2026-02-28")
    assert rest["days"] == [{"business_date": "2026-02-28", "counts": {"loans": 5, "installments_due": 5}}]
    assert await due(world) == sorted(loans)


async def test_many_rounds_end_in_batches(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(close_business, "BATCH", 2)
    borrower = await world.person()
    loans = [await world.listed(borrower, funding_days=1) for _ in range(5)]
    closed = await world.close("2026-02-02")
    assert closed["days"] == [{"business_date": "2026-02-01", "counts": {"rounds_expired": 5}}]
    assert len(await world.told("lending.loan.expired")) == 5
    assert {(await world.get(borrower, f"/v1/loans/{loan_id}"))["status"] for loan_id in loans} == {"expired"}


async def test_a_date_to_come_needs_a_simulation(database_url: str, owner: asyncpg.Connection):
    async with lending_world(database_url, owner) as world:
        body = {"date": "2026-02-01"}
        refused = await world.post(world.admin, "/v1/admin/close-of-business", body)
        assert (refused.status_code, refused.json()["code"]) == (422, "business_date_in_future")
        assert await days(world) == []
        assert (await world.close("2026-01-31"))["days_closed"] == 1
        assert (await world.get(world.admin, "/v1/admin/close-of-business"))["simulation"] is False


async def test_the_daily_run_closes_what_is_past(world: World):
    borrower = await world.person()
    await world.active(borrower, 50_001)
    world.clock.advance(datetime(2026, 3, 1, 0, 5, tzinfo=UTC) - world.clock.now())
    await close_past_days(world.context)
    assert (await world.get(world.admin, "/v1/admin/close-of-business"))["last_closed"] == "2026-02-28"
    (told,) = await world.told("lending.installment.due")
    assert told["due_on"] == "2026-02-28"
    await close_past_days(world.context)
    assert len(await world.told("lending.installment.due")) == 1


@pytest.mark.parametrize("roles", [("user",), ("user", "support")])
async def test_only_administrators(world: World, roles: tuple[str, ...]):
    other = await world.person(kyc=False, roles=roles)
    refused = await world.post(other, "/v1/admin/close-of-business", {"date": "2026-01-31"})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    seen = await world.api.get("/v1/admin/close-of-business", headers=other.headers)
    assert seen.status_code == 403
    assert await days(world) == []


async def test_bad_dates(world: World):
    for body in ({}, {"date": "yesterday"}, {"date": "0001-01-01"}, {"date": "2026-01-31", "force": True}):
        refused = await world.post(world.admin, "/v1/admin/close-of-business", body)
        assert (refused.status_code, refused.json()["code"]) == (422, "validation_error")
    assert await days(world) == []
