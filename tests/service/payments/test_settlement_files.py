"""Settlement files that operators upload: compared day by day, taken once, and not at all with a line that is wrong."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.payments.commands.reconcile_provider import reconcile_closed_days
from services.payments.domain.settlement_file import COLUMNS
from tests.service.payments.conftest import World
from tests.service.payments.test_reconciliation import ADMIN, ADMIN_ID, Day, counts
from tests.support.identity import bearer

PATH = "/v1/admin/reconciliation/files"
PROVIDER = "mobilebank"  # without an adapter, and so without reports of its own


class Files(Day):
    """A day's deposits and withdrawal, and what a provider's file says of them."""

    provider = PROVIDER

    async def ended(self) -> "Files":
        await super().ended()
        for table in ("deposits", "withdrawals"):
            await self.world.owner.execute(f"UPDATE payments.{table} SET provider = $1", self.provider)
        return self

    def row(self, number: int, **changes: Any) -> dict[str, Any]:
        """What a file says of deposit 0 or 1, or of the withdrawal."""
        own = [self.reference(0), self.reference(1), f"wdr_{self.withdrawal['id'].replace('-', '')}"][number]
        amount, kind = [(12_500, "payment"), (700, "payment"), (5_000, "payout")][number]
        row = {"row_id": f"T-{number}", "kind": kind, "reference": own, "amount_minor": amount, "fee_minor": 10}
        return {**row, "currency": "KES", "settled_at": f"{self.date}T13:00:00Z", **changes}

    async def upload(self, *rows: dict[str, Any], headers: dict[str, str] = ADMIN, **query: Any) -> httpx.Response:
        lines = [",".join(COLUMNS), *(",".join(str(row[name]) for name in COLUMNS) for row in rows)]
        params = {"provider": self.provider, "from": str(self.date), "to": str(self.date), **query}
        content = "\n".join(lines).encode()
        return await self.world.api.post(PATH, params=params, content=content, headers={**headers, "Content-Type": "text/csv"})

    async def lists(self) -> dict[str, Any]:
        """How the day stands."""
        params = {"provider": self.provider, "date": str(self.date)}
        answer = await self.world.api.get("/v1/admin/reconciliation", params=params, headers=ADMIN)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


class OfTheSandbox(Files):
    """Of a provider that also reports by itself."""

    provider = "sandbox"


async def test_a_file_is_compared_with_what_was_booked(world: World) -> None:
    day = await Files(world).ended()
    unknown = day.row(0, row_id="T-9", reference="dep_nobody", amount_minor=99)
    before = str(day.date - timedelta(days=1))
    answer = await day.upload(day.row(0), day.row(1, amount_minor=701), unknown, day.row(0), **{"from": before})
    assert answer.status_code == 201, answer.text
    file = answer.json()
    assert (file["rows"], file["duplicates"], file["uploaded_by"]) == (3, 1, str(ADMIN_ID))
    assert [(one["date"], one["balanced"], counts(one)) for one in file["days"]] == [
        (before, True, (0, 0, 0, 0)),
        (str(day.date), False, (1, 1, 1, 1)),
    ]

    found = await day.lists()
    assert (found["id"], found["report"]["file_id"]) == (file["days"][1]["run_id"], file["id"])
    assert [one["id"] for one in found["matched"]] == [day.deposits[0]["id"]]
    assert [(one["id"], one["why"]) for one in found["missing"]] == [(day.withdrawal["id"], "not_reported")]
    assert [(one["reference"], one["why"]) for one in found["surplus"]] == [("dep_nobody", "unknown_reference")]
    assert [(one["provider_amount"], one["amount"]) for one in found["amount_mismatch"]] == [(701, 700)]
    (told,) = await world.told("payments.reconciliation.differences_found")
    assert (told["provider"], told["day"], told["missing"], told["surplus"]) == (PROVIDER, str(day.date), 1, 1)
    (action,) = await world.told("auth.action.taken")
    assert (action["action"], action["actor_id"]) == ("reconciliation.file_taken", str(ADMIN_ID))
    assert (action["after"]["sha256"], action["after"]["days_with_differences"]) == (file["sha256"], [str(day.date)])


async def test_the_same_file_again_changes_nothing_and_a_corrected_one_does(world: World) -> None:
    day = await Files(world).ended()
    short = (day.row(0), day.row(1))
    first = await day.upload(*short)
    again = await day.upload(*short)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert [await day.rows(table) for table in ("settlement_files", "settlement_reports", "reconciliation_runs")] == [1, 1, 1]
    assert len(await world.told("auth.action.taken")) == 1

    assert (await day.upload(*short, day.row(2))).status_code == 201
    found = await day.lists()
    assert (counts(found), found["balanced"], found["report"]["number"]) == ((3, 0, 0, 0), True, 2)
    assert (await day.upload(*short)).json()["days"][0]["run_id"] == found["id"], "what was corrected stays so"
    listed = (await world.api.get(PATH, params={"provider": PROVIDER}, headers=bearer(ADMIN_ID, roles=("support",)))).json()
    assert [file["rows"] for file in listed["items"]] == [3, 2]
    with pytest.raises(Exception, match="only ever added"):
        await world.owner.execute("DELETE FROM payments.settlement_files")


async def test_what_was_booked_since_is_compared_with_the_last_file(world: World) -> None:
    day = await Files(world).ended()
    await world.owner.execute("UPDATE payments.withdrawals SET status = 'processing', settled_at = NULL")
    await day.upload(day.row(0), day.row(1), day.row(2))
    assert counts(await day.lists()) == (2, 0, 1, 0)
    await world.owner.execute("UPDATE payments.withdrawals SET status = 'completed', settled_at = now()")
    body = {"provider": PROVIDER, "date": str(day.date)}
    answer = await world.api.post("/v1/admin/reconciliation", json=body, headers=ADMIN)
    assert (answer.status_code, counts(answer.json())) == (201, (3, 0, 0, 0))
    assert (await world.api.post("/v1/admin/reconciliation", json=body, headers=ADMIN)).status_code == 200


async def test_a_line_that_is_wrong_is_named_and_nothing_is_taken(world: World) -> None:
    day = await Files(world).ended()
    refused = await day.upload(day.row(0), day.row(1, amount_minor="7.00"), day.row(2, settled_at="yesterday"))
    assert (refused.status_code, refused.json()["code"]) == (422, "settlement_file_refused")
    assert [error["field"] for error in refused.json()["errors"]] == ["line 3", "line 4"]
    assert [await day.rows(table) for table in ("settlement_files", "settlement_reports", "settlement_days")] == [0, 0, 0]
    assert (await day.upload(day.row(0))).status_code == 201


async def test_a_provider_that_reports_is_asked_all_the_same(world: World) -> None:
    day = await OfTheSandbox(world).ended()
    assert counts((await day.upload(day.row(0))).json()["days"][0]) == (1, 2, 0, 0)
    await reconcile_closed_days(world.context)
    found = await day.lists()
    assert (counts(found), found["report"]["number"], found["report"]["file_id"]) == ((3, 0, 0, 0), 2, None)


async def test_one_at_a_time(world: World) -> None:
    day = await Files(world).ended()
    async with world.context.unit_of_work() as work:
        assert await work.settlements.claim(PROVIDER, day.date, work.now, work.now + timedelta(minutes=15))
    before = str(day.date - timedelta(days=1))
    refused = await day.upload(day.row(0), **{"from": before})
    assert (refused.status_code, refused.json()["code"]) == (409, "reconciliation_running")
    assert (await day.upload(**{"from": before, "to": before})).status_code == 201, "the days that were free still are"


@pytest.mark.parametrize(
    ("first", "last", "status", "code"),
    [(0, -1, 422, "validation_error"), (-31, 0, 422, "validation_error"), (0, 1, 409, "day_not_closed")],
)
async def test_the_days_of_a_file(world: World, first: int, last: int, status: int, code: str) -> None:
    day = await Files(world).ended()
    days = {"from": str(day.date + timedelta(days=first)), "to": str(day.date + timedelta(days=last))}
    refused = await day.upload(day.row(0), **days)
    assert (refused.status_code, refused.json()["code"]) == (status, code)


async def test_who_and_whose(world: World) -> None:
    day = await Files(world).ended()
    for role in ("user", "support"):
        assert (await day.upload(day.row(0), headers=bearer(ADMIN_ID, roles=(role,)))).status_code == 403
    assert (await world.api.get(PATH, headers=bearer(ADMIN_ID))).status_code == 403
    unknown = await day.upload(day.row(0), provider="nobody")
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_provider")
    assert await day.rows("settlement_files") == 0
