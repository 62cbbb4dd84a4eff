"""What people see of each other's loans, pages, idempotent requests, waiting for the end, and the calculator."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from shared.ids import new_id
from tests.service.lending.conftest import Person, World

PERSONAL = ("borrower_id", "wallet_id", "surplus", "closed_at", "reason")


async def statuses(world: World, who: Person, paths: list[str]) -> list[int]:
    return [(await world.api.get(path, headers=who.headers)).status_code for path in paths]


async def test_what_is_somebody_elses_is_not_there(world: World):
    borrower, stranger = await world.person(1_000), await world.person(1_000)
    support = await world.person(roles=("user", "support"))
    loan_id, (lender,) = await world.active(borrower, 50_001)
    repayment = (await world.repay(borrower, loan_id, 1_000)).json()["id"]
    investment = (await world.investment(lender))["id"]
    own = [f"/v1/loans/{loan_id}{path}" for path in ("/events", "/repayments", f"/repayments/{repayment}", "/payoff")]
    shared = [f"/v1/loans/{loan_id}", f"/v1/loans/{loan_id}/schedule"]
    assert await statuses(world, borrower, own + shared) == [200] * 6
    assert await statuses(world, support, own + shared) == [200] * 6
    assert await statuses(world, lender, own + shared) == [404] * 4 + [200] * 2
    assert await statuses(world, stranger, own + shared) == [404] * 6
    assert await statuses(world, lender, [f"/v1/investments/{investment}"]) == [200]
    assert await statuses(world, borrower, [f"/v1/investments/{investment}"]) == [404]
    unknown = [f"/v1/loans/{new_id()}", f"/v1/investments/{new_id()}", f"/v1/loans/{loan_id}/repayments/{new_id()}"]
    assert await statuses(world, borrower, unknown) == [404] * 3
    other_loan = (await world.apply(borrower)).json()["id"]
    assert await statuses(world, borrower, [f"/v1/loans/{other_loan}/repayments/{repayment}"]) == [404]
    for answer in (await world.repay(stranger, loan_id, 500), await world.post(stranger, f"/v1/loans/{loan_id}/payoff", {})):
        assert (answer.status_code, answer.json()["code"]) == (404, "loan_not_found")
    theirs = {"amount": 500, "wallet_id": str(lender.wallet_id)}
    answer = await world.post(borrower, f"/v1/loans/{loan_id}/repayments", theirs)
    assert (answer.status_code, answer.json()["code"]) == (404, "wallet_not_found")
    assert (await world.api.get(f"/v1/loans/{loan_id}")).status_code == 401


async def test_a_listing_has_no_personal_data(world: World):
    borrower, stranger = await world.person(), await world.person()
    loan_id = await world.listed(borrower)
    submitted = (await world.apply(borrower)).json()["id"]
    listing = await world.get(stranger, f"/v1/loans/{loan_id}")
    assert [listing[name] for name in PERSONAL] == [None] * len(PERSONAL)
    assert str(borrower.id) not in str(listing)
    assert (await world.get(stranger, "/v1/loans"))["items"] == [listing]
    full = await world.get(world.admin, f"/v1/loans/{loan_id}")
    assert full["borrower_id"] == str(borrower.id)
    assert await statuses(world, stranger, [f"/v1/loans/{submitted}"]) == [404]
    mine = (await world.get(borrower, "/v1/loans", mine=True))["items"]
    assert [loan["id"] for loan in mine] == [submitted, loan_id]
    assert [loan["id"] for loan in (await world.get(world.admin, "/v1/loans", status="submitted"))["items"]] == [submitted]


async def test_pages(world: World):
    borrower, lender = await world.person(), await world.person(50_000)
    ids = [await world.listed(borrower) for _ in range(5)]
    for loan_id in ids:
        await world.invest(lender, loan_id, 5_000)
    for path, shown in (("/v1/loans", "id"), ("/v1/investments", "loan_id")):
        seen: list[str] = []
        query: dict[str, Any] = {"limit": 2}
        for size in (2, 2, 1):
            page = await world.get(lender, path, **query)
            assert len(page["items"]) == size
            seen += [item[shown] for item in page["items"]]
            query["cursor"] = page["next_cursor"]
        assert query["cursor"] is None
        assert seen == ids[::-1]
    for query in ({"limit": 0}, {"limit": 201}, {"cursor": "nonsense"}, {"status": "lost"}):
        answer = await world.api.get("/v1/loans", params=query, headers=lender.headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")
    grade = (await world.get(borrower, f"/v1/loans/{ids[0]}"))["risk_grade"]
    everything = (await world.get(lender, "/v1/loans"))["items"]
    filtered = (await world.get(lender, "/v1/loans", risk_grade=grade, currency="KES"))["items"]
    assert filtered == [one for one in everything if one["risk_grade"] == grade] != []
    assert (await world.get(lender, "/v1/loans", currency="USD"))["items"] == []
    found = await world.get(lender, "/v1/investments", loan_id=ids[2], status="pending")
    assert [one["loan_id"] for one in found["items"]] == [ids[2]]


async def test_a_request_has_its_effect_once(world: World):
    borrower, lender = await world.person(), await world.person(90_000)
    loan_id = await world.listed(borrower)
    first = await world.invest(lender, loan_id, 20_000, key="a")
    replay = await world.invest(lender, loan_id, 20_000, key="a")
    assert (replay.status_code, replay.headers["Idempotent-Replayed"]) == (202, "true")
    assert replay.json() == first.json()
    assert "Idempotent-Replayed" not in first.headers
    reused = await world.invest(lender, loan_id, 20_001, key="a")
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    assert len(await world.take()) == 1
    refused = await world.invest(lender, loan_id, 200_000, key="b")
    again = await world.invest(lender, loan_id, 200_000, key="b")
    assert (again.status_code, again.json()) == (409, refused.json())
    others = await world.invest(await world.person(30_000), loan_id, 20_000, key="a")
    assert others.json()["id"] != first.json()["id"]  # keys are each user's own


async def test_without_a_key_no_money_moves(world: World):
    borrower = await world.person()
    loan_id, _ = await world.active(borrower, 50_001)
    paths = [f"/v1/loans/{loan_id}/{name}" for name in ("investments", "repayments", "payoff")]
    for path in paths:
        body = {} if path.endswith("payoff") else {"amount": 5_000, "wallet_id": str(borrower.wallet_id)}
        answer = await world.api.post(path, json=body, headers=borrower.headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")
        answer = await world.api.post(path, json=body, headers={**borrower.headers, "Idempotency-Key": "k" * 256})
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")
    assert await world.take() == []


async def test_the_same_request_many_times_at_once(world: World):
    borrower = await world.person()
    loan_id, _ = await world.active(borrower, 50_001)
    answers = await asyncio.gather(*(world.repay(borrower, loan_id, 5_000, key="k") for _ in range(8)))
    taken = [answer for answer in answers if answer.status_code == 202]
    assert taken
    assert {answer.json()["code"] for answer in answers if answer.status_code != 202} <= {"idempotency_key_in_use"}
    assert len({answer.json()["id"] for answer in taken}) == 1
    assert len(await world.take()) == 1
    applied = await asyncio.gather(*(world.apply(borrower, key="l") for _ in range(4)))
    assert len({answer.json()["id"] for answer in applied if answer.status_code == 201}) == 1
    assert len(await world.told("lending.loan.submitted")) == 2


@pytest.mark.parametrize("what", ["invest", "repay"])
async def test_prefer_wait_answers_with_the_end(world: World, what: str):
    borrower, lender = await world.person(), await world.person(20_000)
    if what == "invest":
        loan_id, who, end = await world.listed(borrower), lender, "held"
    else:
        loan_id, who, end = (await world.active(borrower, 50_001))[0], borrower, "completed"
    path = f"/v1/loans/{loan_id}/" + ("investments" if what == "invest" else "repayments")
    headers = {**who.headers, "Prefer": "wait=5"}

    async def others() -> None:
        for _ in range(200):
            if await world.deliver():
                return
            await asyncio.sleep(0.02)

    answer, _ = await asyncio.gather(
        world.post(headers, path, {"amount": 20_000, "wallet_id": str(who.wallet_id)}, "w"), others()
    )
    assert (answer.status_code, answer.json()["status"]) == (202, end)
    assert answer.headers["Preference-Applied"] == "wait=5"
    again = await world.post(headers, path, {"amount": 20_000, "wallet_id": str(who.wallet_id)}, "w")
    assert (again.headers["Idempotent-Replayed"], again.json()) == ("true", answer.json())
    assert UUID(answer.json()["id"])


async def test_a_quote_needs_no_login(world: World):
    body = {"amount": 1_000_000, "currency": "KES", "annual_rate": "0.1200", "term": 12, "disbursed_on": "2026-01-31"}
    answer = await world.api.post("/v1/loans/quote", json={**body, "upfront_fee": 20_000})
    assert answer.status_code == 200
    quoted = answer.json()
    assert sum(one["principal"] for one in quoted["installments"]) == 1_000_000
    assert quoted["installments"][0]["total"] == 88_849
    assert [one["due_on"] for one in quoted["installments"]][:3] == ["2026-02-28", "2026-03-31", "2026-04-30"]
    assert quoted["totals"]["received"] == 980_000
    assert quoted["apr"].startswith("0.1")
    today = await world.api.post("/v1/loans/quote", json={**body, "disbursed_on": None})
    assert today.json()["disbursed_on"] == "2026-01-31"


BAD_QUOTES: list[dict[str, Any]] = [
    {"annual_rate": 0.12},
    {"annual_rate": "-0.1"},
    {"annual_rate": "NaN"},
    {"annual_rate": "1e3"},
    {"annual_rate": "11"},
    {"term": 0},
    {"term": 1201},
    {"amount": 0},
    {"amount": 10**16},
    {"upfront_fee": 1_000_000},
    {"principal_grace": 12},
    {"frequency": {"unit": "years"}},
    {"first_due_on": "2026-01-31"},
    {"disbursed_on": "2026-02-30"},
    {"rate": "0.1"},
]


async def test_bad_quotes(world: World):
    good = {"amount": 1_000_000, "currency": "KES", "annual_rate": "0.12", "term": 12, "disbursed_on": "2026-01-31"}
    for changes in BAD_QUOTES:
        answer = await world.api.post("/v1/loans/quote", json=good | changes)
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_error"), changes
        assert answer.json()["errors"], changes


BAD_PAYMENTS: list[dict[str, Any]] = [
    {"amount": 0}, {"amount": -1}, {"amount": 1.5}, {"amount": 10**16}, {"wallet_id": 7}, {"note": "x"}, {"amount": None},
]  # fmt: skip


async def test_bad_payments(world: World):
    borrower = await world.person()
    loan_id, _ = await world.active(borrower, 50_001)
    for changes in BAD_PAYMENTS:
        for name in ("repayments", "investments"):
            body = {"amount": 5_000, "wallet_id": str(borrower.wallet_id), **changes}
            answer = await world.post(borrower, f"/v1/loans/{loan_id}/{name}", body)
            assert (answer.status_code, answer.json()["code"]) == (422, "validation_error"), (name, changes)
    assert await world.take() == []
