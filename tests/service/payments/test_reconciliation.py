"""A provider's report of a day against our books: missing, surplus, changed, doubled and late rows, a provider that is down."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.payments.commands.reconcile_provider import reconcile_closed_days
from services.payments.providers import settlement_reports
from services.payments.providers.base import SettlementPage, Success, Unknown
from services.payments.providers.sandbox import client
from shared.contracts.wallet_ledger.account_events import ProviderAccountMoved
from shared.ids import new_id
from tests.service.payments.conftest import World
from tests.service.payments.faults import Faulty
from tests.support.identity import bearer

ADMIN_ID = new_id()
ADMIN = bearer(ADMIN_ID, roles=("admin",))


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settlement_reports, "_PAUSE_SECONDS", 0.0)


class Day:
    """A day with two deposits and a withdrawal in it, which then ends."""

    def __init__(self, world: World) -> None:
        self.world = world
        # Midday, so that nothing of a test falls on both sides of a midnight.
        midday = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
        world.clock.advance(midday - datetime.now(UTC))
        self.date = midday.date()
        self.deposits: list[dict[str, Any]] = []
        self.withdrawal: dict[str, Any] = {}

    async def play(self) -> "Day":
        ann = await self.world.person(balance=50_000)
        for amount in (12_500, 700):
            deposit = (await self.world.deposit(ann, amount=amount)).json()
            await self.world.press(deposit["checkout_url"], "approve")
            await self.world.provider_works()
            self.deposits.append(await self.world.settle(ann, f"/v1/deposits/{deposit['id']}"))
        asked = (await self.world.withdraw(ann)).json()
        self.withdrawal = await self.world.settle(ann, f"/v1/withdrawals/{asked['id']}")
        assert [one["status"] for one in (*self.deposits, self.withdrawal)] == ["succeeded", "succeeded", "completed"]
        return self

    async def ended(self) -> "Day":
        await self.play()
        self.world.clock.advance(timedelta(days=1))
        return self

    def reference(self, number: int) -> str:
        return f"dep_{self.deposits[number]['id'].replace('-', '')}"

    async def reconcile(self, status: int = 201) -> dict[str, Any]:
        body = {"provider": "sandbox", "date": str(self.date)}
        answer = await self.world.api.post("/v1/admin/reconciliation", json=body, headers=ADMIN)
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def look(self) -> dict[str, Any]:
        query = {"provider": "sandbox", "date": str(self.date)}
        answer = await self.world.api.get("/v1/admin/reconciliation", params=query, headers=bearer(new_id(), roles=("support",)))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def at_the_provider(self, statement: str, *values: Any) -> None:
        await self.world.owner.execute(statement, *values)

    async def add_payment(self, reference: str, amount: int, *, days_later: int = 0) -> None:
        """A payment that the provider has and we have not asked for."""
        at = datetime.combine(self.date, datetime.min.time(), UTC) + timedelta(hours=13, days=days_later)
        await self.at_the_provider(
            "INSERT INTO sandbox.payments (id, reference, amount_minor, currency, description, status, created_at, expires_at,"
            " decided_at) VALUES ($1, $2, $3, 'KES', 'x', 'succeeded', $4, $4, $4)",
            new_id(), reference, amount, at,
        )  # fmt: skip

    async def rows(self, table: str) -> int:
        return int(await self.world.owner.fetchval(f"SELECT count(*) FROM payments.{table}"))


def counts(found: dict[str, Any]) -> tuple[int, int, int, int]:
    return tuple(found["counts"][name] for name in ("matched", "missing", "surplus", "amount_mismatch"))  # type: ignore[return-value]


async def test_a_day_on_which_all_is_well(world: World) -> None:
    day = await Day(world).ended()
    found = await day.reconcile()

    assert (counts(found), found["balanced"], found["report"]["rows"]) == ((3, 0, 0, 0), True, 3)
    assert {(one["kind"], one["reference"], one["provider_amount"], one["amount"]) for one in found["matched"]} == {
        ("payment", day.reference(0), 12_500, 12_500),
        ("payment", day.reference(1), 700, 700),
        ("payout", f"wdr_{day.withdrawal['id'].replace('-', '')}", 5_000, 5_000),
    }
    (totals,) = found["totals"]
    assert (totals["reported_in"], totals["reported_out"], totals["booked_in"], totals["booked_out"], totals["fees"]) == (
        13_200, 5_000, 13_200, 5_000, 0,
    )  # fmt: skip
    assert await day.look() == found
    assert await world.told("payments.reconciliation.differences_found") == []


async def test_the_same_again_is_the_same_run(world: World) -> None:
    day = await Day(world).ended()
    first = await day.reconcile()
    again = await day.reconcile(status=200)
    assert again == first
    assert [await day.rows(table) for table in ("settlement_reports", "settlement_rows", "reconciliation_runs")] == [1, 3, 1]
    actions = [(one["action"], one["actor_id"], one["after"]["run_id"]) for one in await world.told("auth.action.taken")]
    assert actions == [("reconciliation.run", str(ADMIN_ID), first["id"])] * 2


async def test_what_the_provider_has_not_and_what_we_have_not(world: World) -> None:
    day = await Day(world).ended()
    await day.at_the_provider("DELETE FROM sandbox.payments WHERE reference = $1", day.reference(0))
    await day.add_payment("dep_nobody", 99)
    await day.at_the_provider("UPDATE sandbox.payments SET amount_minor = 701 WHERE reference = $1", day.reference(1))

    found = await day.reconcile()

    assert (counts(found), found["balanced"]) == ((1, 1, 1, 1), False)
    (missing,), (surplus,), (changed,) = found["missing"], found["surplus"], found["amount_mismatch"]
    assert (missing["id"], missing["amount"], missing["provider_amount"], missing["why"]) == (
        day.deposits[0]["id"], 12_500, None, "not_reported",
    )  # fmt: skip
    assert (surplus["reference"], surplus["provider_amount"], surplus["id"], surplus["why"]) == (
        "dep_nobody", 99, None, "unknown_reference",
    )  # fmt: skip
    assert (changed["id"], changed["provider_amount"], changed["amount"]) == (day.deposits[1]["id"], 701, 700)
    (told,) = await world.told("payments.reconciliation.differences_found")
    assert (told["run_id"], told["missing"], told["surplus"], told["amount_mismatch"]) == (found["id"], 1, 1, 1)
    items = (await world.api.get(f"/v1/admin/reconciliation/{found['id']}/items?verdict=missing", headers=ADMIN)).json()
    assert items == {"items": [missing], "next_cursor": None}


async def test_paid_at_the_provider_and_not_settled_here(world: World) -> None:
    day = await Day(world).play()
    ann = await world.person()
    unheard = (await world.deposit(ann, amount=40)).json()
    await world.press(unheard["checkout_url"], "approve")  # its webhook is never delivered
    world.clock.advance(timedelta(days=1))
    found = await day.reconcile()
    assert counts(found) == (3, 0, 1, 0)
    (surplus,) = found["surplus"]
    assert (surplus["id"], surplus["status"], surplus["why"]) == (unheard["id"], "pending", "not_booked")
    await world.deliver()  # the provider is asked, as if its webhook had come
    assert (await world.get(ann, f"/v1/deposits/{unheard['id']}"))["status"] == "succeeded"


async def test_a_payment_in_the_last_moment_of_which_nobody_heard_is_credited_by_reconciliation(world: World) -> None:
    day = await Day(world).play()
    ann = await world.person()
    deposit = (await world.deposit(ann, amount=40)).json()
    await world.press(deposit["checkout_url"], "approve")  # its webhook is never delivered
    await world.owner.execute(
        "UPDATE payments.sagas SET state = 'expired', deadline_at = NULL WHERE id = $1", UUID(deposit["id"])
    )
    await world.owner.execute(
        "UPDATE payments.deposits SET status = 'expired', next_sync_at = NULL WHERE id = $1", UUID(deposit["id"])
    )
    world.clock.advance(timedelta(days=1))
    assert counts(await day.reconcile()) == (3, 0, 1, 0)
    await world.deliver()
    assert (await world.get(ann, f"/v1/deposits/{deposit['id']}"))["status"] == "succeeded"
    assert world.ledger.balances[ann.account] == 40
    posted = len(world.ledger.posted)
    await day.reconcile()
    await world.deliver()
    assert len(world.ledger.posted) == posted


async def test_money_that_no_account_would_take_is_surplus_until_it_is_booked(world: World) -> None:
    day = await Day(world).play()
    ann = await world.person()
    world.ledger.refuse_accounts |= {ann.account, "suspense:KES"}
    deposit = (await world.deposit(ann, amount=40)).json()
    await world.press(deposit["checkout_url"], "approve")
    await world.provider_works()
    assert (await world.settle(ann, f"/v1/deposits/{deposit['id']}"))["status"] == "failed"
    moved = ProviderAccountMoved(
        transaction_id=new_id(), sequence=1, provider="sandbox", account="provider:sandbox:KES", currency="KES", debit_minor=40,
        credit_minor=0, kind="adjustment", reference=f"deposit:{deposit['id']}", requested_by="wallet_ledger",
        booked_at=world.clock.now(),
    )  # fmt: skip
    world.clock.advance(timedelta(days=1))

    found = await day.reconcile()
    assert (counts(found), found["surplus"][0]["why"]) == ((3, 0, 1, 0), "not_booked")
    await world.handle(moved, source="wallet_ledger")  # two operators have booked it
    assert counts(await day.reconcile()) == (4, 0, 0, 0)


async def test_the_report_comes_in_pages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "REPORT_ROWS_A_PAGE", 1)
    day = await Day(world).ended()
    found = await day.reconcile()
    assert (counts(found), found["report"]["duplicates"]) == ((3, 0, 0, 0), 0)


class Spoilt(Faulty):
    """Reports what `spoil` makes of the provider's pages; `calls` has the cursors."""

    def __init__(self, real: Any, spoil: Callable[[int, Any], Any]) -> None:
        super().__init__(real)
        self._spoil = spoil

    async def settlements(self, day: Any, cursor: str | None) -> Any:
        self.calls.append(("settlements", cursor or ""))
        answer = await self.real.settlements(day, cursor)
        return self._spoil(len(self.calls), answer)


def page(answer: Any, **changes: Any) -> Success[SettlementPage]:
    fields = {name: getattr(answer.value, name) for name in ("day", "complete", "total_rows", "rows", "next_cursor")}
    return Success(SettlementPage(**{**fields, **changes}))


async def test_a_row_that_comes_twice_counts_once(world: World) -> None:
    day = await Day(world).ended()
    world.providers["sandbox"] = Spoilt(
        world.providers["sandbox"], lambda _, answer: page(answer, rows=(*answer.value.rows, answer.value.rows[0]))
    )
    found = await day.reconcile()
    assert (counts(found), found["report"]["rows"], found["report"]["duplicates"]) == ((3, 0, 0, 0), 3, 1)


async def test_a_payment_that_the_provider_took_twice_is_surplus(world: World) -> None:
    day = await Day(world).ended()

    def twice(_: int, answer: Any) -> Any:
        again = replace(answer.value.rows[0], provider_row_id="set_another")
        return page(answer, rows=(*answer.value.rows, again), total_rows=4)

    world.providers["sandbox"] = Spoilt(world.providers["sandbox"], twice)
    found = await day.reconcile()
    assert counts(found) == (3, 0, 1, 0)
    assert found["surplus"][0]["why"] == "reported_twice"


async def test_a_report_with_a_page_lost_on_the_way_is_fetched_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "REPORT_ROWS_A_PAGE", 1)
    day = await Day(world).ended()
    spoilt = Spoilt(world.providers["sandbox"], lambda number, answer: Unknown("HTTP 502") if number == 2 else answer)
    world.providers["sandbox"] = spoilt
    assert counts(await day.reconcile()) == (3, 0, 0, 0)
    cursors = [cursor for _, cursor in spoilt.calls]
    assert len(cursors) == 4
    assert cursors[1] == cursors[2]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda answer: page(answer, rows=answer.value.rows[:-1]), "2 rows and says that it has 3"),
        (lambda answer: page(answer, next_cursor="again", rows=()), "no end"),
        (lambda answer: page(answer, day=answer.value.day - timedelta(days=1)), "changed while it was read"),
        (lambda answer: page(answer, complete=False), "not complete"),
    ],
    ids=["short", "endless", "of another day", "not complete"],
)
async def test_half_a_report_is_none(world: World, spoil: Callable[[Any], Any], says: str) -> None:
    day = await Day(world).ended()
    world.providers["sandbox"] = Spoilt(world.providers["sandbox"], lambda _, answer: spoil(answer))
    refused = await day.reconcile(status=503)
    assert refused["code"] == "provider_unavailable"
    assert says in refused["detail"]
    assert [await day.rows(table) for table in ("settlement_reports", "reconciliation_runs")] == [0, 0]


async def test_rows_that_come_late_make_a_new_run_beside_the_old_one(world: World) -> None:
    day = await Day(world).ended()
    await day.at_the_provider(
        "UPDATE sandbox.payments SET decided_at = decided_at + interval '9 days' WHERE reference = $1", day.reference(0)
    )
    await reconcile_closed_days(world.context)
    early = await day.look()
    assert (counts(early), early["started_by"]) == ((2, 1, 0, 0), None)

    await day.at_the_provider(
        "UPDATE sandbox.payments SET decided_at = decided_at - interval '9 days' WHERE reference = $1", day.reference(0)
    )
    await reconcile_closed_days(world.context)
    assert (await day.look())["id"] == early["id"]  # not due yet
    world.clock.advance(timedelta(days=1))
    await reconcile_closed_days(world.context)

    late = await day.look()
    assert (counts(late), late["report"]["number"]) == ((3, 0, 0, 0), 2)
    kept = (await world.api.get(f"/v1/admin/reconciliation/{early['id']}/items?verdict=missing", headers=ADMIN)).json()
    assert len(kept["items"]) == 1


async def test_a_row_on_the_wrong_side_of_midnight_is_not_missing(world: World) -> None:
    """The provider settled it on the next day; that day's report has it."""
    day = await Day(world).ended()
    await day.at_the_provider(
        "UPDATE sandbox.payments SET decided_at = decided_at + interval '1 day' WHERE reference = $1", day.reference(0)
    )
    world.clock.advance(timedelta(days=1))
    body = {"provider": "sandbox", "date": str(day.date + timedelta(days=1))}
    following = (await world.api.post("/v1/admin/reconciliation", json=body, headers=ADMIN)).json()
    assert counts(following) == (1, 0, 0, 0)
    assert counts(await day.reconcile()) == (2, 0, 0, 0)


async def test_the_schedule_waits_for_a_provider_that_is_down(world: World) -> None:
    day = await Day(world).ended()
    real = world.providers["sandbox"]
    down = Spoilt(real, lambda *_: Unknown("HTTP 503"))
    world.providers["sandbox"] = down
    await reconcile_closed_days(world.context)
    await reconcile_closed_days(world.context)  # left alone for a while
    assert len(down.calls) == 3
    state = await world.owner.fetchrow("SELECT failures, last_error, claimed_until FROM payments.settlement_days")
    assert tuple(state) == (1, "HTTP 503", None)
    answers = await world.owner.fetch("SELECT outcome FROM payments.provider_answers WHERE operation = 'settlements'")
    assert [row["outcome"] for row in answers] == ["unknown"]

    world.providers["sandbox"] = real
    world.clock.advance(timedelta(minutes=6))
    await reconcile_closed_days(world.context)
    assert counts(await day.look()) == (3, 0, 0, 0)


async def test_one_at_a_time_and_a_claim_that_outlives_its_holder_ends(world: World) -> None:
    day = await Day(world).ended()
    async with world.context.unit_of_work() as work:
        assert await work.settlements.claim("sandbox", day.date, work.now, work.now + timedelta(minutes=15))
    assert (await day.reconcile(status=409))["code"] == "reconciliation_running"
    world.clock.advance(timedelta(minutes=16))
    assert counts(await day.reconcile()) == (3, 0, 0, 0)


async def test_today_can_be_looked_at_and_not_be_closed(world: World) -> None:
    day = await Day(world).play()
    found = await day.look()
    assert (found["id"], counts(found), found["report"]) == (None, (3, 0, 0, 0), None)
    assert (await day.reconcile(status=409))["code"] == "day_not_closed"
    assert await day.rows("settlement_reports") == 0


async def test_what_the_ledger_moved_is_shown_beside(world: World) -> None:
    day = await Day(world).play()
    common = {"provider": "sandbox", "account": "provider:sandbox:KES", "currency": "KES", "booked_at": world.clock.now()}
    references = [f"deposit:{one['id']}" for one in day.deposits]
    for number, (reference, requested_by, debit, credit) in enumerate(
        [(references[0], "payments", 12_500, 0), (references[1], "payments", 700, 0), (None, "wallet_ledger", 0, 30)], 1
    ):
        moved = ProviderAccountMoved(
            transaction_id=new_id(), sequence=number, debit_minor=debit, credit_minor=credit, kind="adjustment",
            reference=reference, requested_by=requested_by, **common,
        )  # fmt: skip
        for _ in range(2):
            await world.handle(moved, source="wallet_ledger")
    world.clock.advance(timedelta(days=1))

    found = await day.reconcile()

    (totals,) = found["totals"]
    assert (totals["ledger_debits"], totals["ledger_credits"]) == (13_200, 30)
    assert [(one["requested_by"], one["credit"]) for one in found["ledger_others"]] == [("wallet_ledger", 30)]
    assert found["ledger_not_told"] == [f"withdrawal:{day.withdrawal['id']}"]


@pytest.mark.parametrize(
    ("provider", "date", "code"),
    [
        ("nobody", "2026-01-01", "unknown_provider"),
        ("sandbox", "2026-13-01", "validation_error"),
        ("sandbox", "9999-12-31", "validation_error"),
    ],
)
async def test_what_cannot_be_asked(world: World, provider: str, date: str, code: str) -> None:
    answer = await world.api.get("/v1/admin/reconciliation", params={"provider": provider, "date": date}, headers=ADMIN)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_the_report_is_for_those_who_share_the_secret_and_signed(world: World) -> None:
    day = await Day(world).play()
    sandbox = world.providers["sandbox"]
    url = f"{sandbox._http.base_url}settlements"
    stranger = await world.browser.get(url, params={"date": str(day.date)}, headers={"Authorization": "Bearer guessed"})
    assert stranger.status_code == 401

    def tamper(request: httpx.Request) -> httpx.Response:
        body = b'{"date": "2026-01-01", "complete": true, "total_rows": 0, "rows": [], "next_cursor": null}'
        return httpx.Response(200, content=body, headers={"Sandbox-Signature": "t=1,v1=" + "0" * 64})

    await sandbox.close()
    sandbox._http = httpx.AsyncClient(transport=httpx.MockTransport(tamper), base_url="http://sandbox")
    answer = await sandbox.settlements(day.date, None)
    assert isinstance(answer, Unknown)
    assert "signature" in answer.reason
    await sandbox.close()


async def test_nothing_of_it_can_be_changed(world: World) -> None:
    await (await Day(world).ended()).reconcile()
    for table in ("settlement_reports", "settlement_rows", "reconciliation_runs", "reconciliation_items"):
        with pytest.raises(Exception, match="only ever added"):
            await world.owner.execute(f"DELETE FROM payments.{table}")
